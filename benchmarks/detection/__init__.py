"""Is the detection right? Simulated CI histories with known truth, competing rules, figures, plots."""
