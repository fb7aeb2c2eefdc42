"""Pure rendering, one noun a file: values in, Block Kit out; no clock, no network, no database."""
