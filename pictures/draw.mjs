// Draws the gallery as Slack would show it: one page with everything, one screenshot each, light and dark.
// usage: node draw.mjs GALLERY.json OUT_FOLDER [name ...]
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import React from "react";
import { renderToStaticMarkup } from "react-dom/server";
import WebSocket from "ws";

const require = createRequire(import.meta.url);
const { Message } = require("slack-blocks-to-jsx");
const h = React.createElement;

const NAMES = { U01ALICE: "alice", U02BOB: "bob", U03CAROL: "carol", S0APPROV: "web-approvers", C02SHOP: "ci-shop", C01CI: "ci" };
const TIME = new Date("2026-11-22T21:26:00Z");
const LOGO =
  "data:image/svg+xml;base64," +
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="6" fill="#0f766e"/>` +
      `<path d="M9 19l6 6 12-14" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
  ).toString("base64");

const mention = ({ id, name }) => h("span", { className: "mention" }, `@${NAMES[id] ?? name ?? id}`);
const hooks = {
  user: mention,
  usergroup: mention,
  channel: ({ id, name }) => h("span", { className: "mention" }, `#${NAMES[id] ?? name ?? id}`),
  date: ({ timestamp, format }) => h("span", null, written(Number(timestamp), format)),
};

function written(timestamp, format) {
  const at = new Date(timestamp * 1000);
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  return format.replace("{date_short_pretty}", day).replace("{time}", time);
}

// The library stumbles over raw_number, shows verbatim text raw, and names radio buttons by their action_id alone, so
// that on one page only the last group keeps its choice; Slack itself does none of this.
let groups = 0;

function digestible(value) {
  if (Array.isArray(value)) return value.map(digestible);
  if (value === null || typeof value !== "object") return value;
  if (value.type === "raw_number") return { type: "raw_text", text: value.text };
  const plain = Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "verbatim")
      .map(([name, inner]) => [name, digestible(inner)]),
  );
  return plain.action_id ? { ...plain, action_id: `${plain.action_id}-${groups++}` } : plain;
}

function shown(item, theme) {
  const { surface, payload } = item;
  const common = { blocks: digestible(payload.blocks), name: "FlakeGuard", logo: LOGO, time: TIME, theme, hooks };
  if (surface === "message") return renderToStaticMarkup(h(Message, common));
  const body = renderToStaticMarkup(h(Message, { ...common, withoutWrapper: true }));
  return surface === "home" ? `<div class="tab">${body}</div>` : dialog(payload, body);
}

function dialog(view, body) {
  const submit = view.submit ? `<b class="submit">${view.submit.text}</b>` : "";
  return (
    `<div class="modal"><header><img src="${LOGO}">${view.title.text}<span>✕</span></header>` +
    `<div class="body">${body}</div><footer><b>${view.close.text}</b>${submit}</footer></div>`
  );
}

const CSS = `
  body{margin:0;font:15px/22px Lato,"Liberation Sans",sans-serif;background:#fff}
  .shot{display:block;width:720px;padding:14px 16px;box-sizing:border-box;background:#fff;color:#1d1c1d}
  .shot.dark{background:#1a1d21;color:#d1d2d3}
  .mention{background:#e8f5fa;color:#1264a3;border-radius:3px;padding:0 2px}
  .dark .mention{background:#1d3443;color:#1d9bd1}
  .tab{max-width:688px}
  .modal{width:560px;border:1px solid #ddd;border-radius:8px;background:#fff}
  .dark .modal{border-color:#3a3d42;background:#1a1d21}
  .modal header{display:flex;align-items:center;gap:10px;padding:14px 20px;font-weight:900;font-size:18px}
  .modal header img{width:28px}.modal header span{margin-left:auto;font-weight:400;opacity:.6}
  .modal .body{padding:4px 20px 12px}
  .modal footer{display:flex;justify-content:flex-end;gap:10px;padding:12px 20px;border-top:1px solid #ddd}
  .dark .modal footer{border-color:#3a3d42}
  .modal footer b{padding:4px 14px;border:1px solid #bbb;border-radius:4px}
  .modal footer .submit{background:#007a5a;border-color:#007a5a;color:#fff}
`;

function page(items) {
  const style = readFileSync(require.resolve("slack-blocks-to-jsx").replace("index.js", "style.css"), "utf8");
  const shots = items.map(
    ({ id, theme, html }) => `<div class="shot ${theme}" data-theme="${theme}" id="${id}">${html}</div>`,
  );
  return `<!doctype html><meta charset="utf-8"><style>${style}${CSS}</style><body>${shots.join("\n")}</body>`;
}

async function browse(folder, work) {
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"];
  const chromium = spawn(process.env.CHROMIUM ?? "chromium", [...flags, `--user-data-dir=${folder}/profile`, "about:blank"]);
  try {
    const port = await new Promise((resolve, reject) => {
      chromium.on("error", reject);
      chromium.stderr.on("data", (data) => {
        const found = /ws:\/\/[^:]+:(\d+)\//.exec(String(data));
        if (found) resolve(found[1]);
      });
    });
    const tabs = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const socket = new WebSocket(tabs.find((tab) => tab.type === "page").webSocketDebuggerUrl, { maxPayload: 1e9 });
    await new Promise((resolve) => socket.once("open", resolve));
    await work(speaker(socket));
    socket.close();
  } finally {
    // Its children write to the profile until the very end.
    const over = new Promise((resolve) => chromium.once("exit", resolve));
    chromium.kill();
    await over;
  }
}

function speaker(socket) {
  const waiting = new Map();
  let last = 0;
  socket.on("message", (data) => {
    const { id, result, error } = JSON.parse(data);
    if (!waiting.has(id)) return;
    error ? waiting.get(id)[1](new Error(error.message)) : waiting.get(id)[0](result);
    waiting.delete(id);
  });
  return (method, params = {}) =>
    new Promise((...outcome) => {
      waiting.set(++last, outcome);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
}

const BOXES = `document.fonts.ready.then(() => JSON.stringify([...document.querySelectorAll(".shot")].map((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return { id: one.id, x, y: y + scrollY, width, height };
})))`;

const [, , gallery, out, ...wanted] = process.argv;
const items = JSON.parse(readFileSync(gallery, "utf8"))
  .filter(({ name }) => !wanted.length || wanted.includes(name))
  .flatMap((item) => ["light", "dark"].map((theme) => ({ id: `${item.name}.${theme}`, theme, html: shown(item, theme) })));
const folder = mkdtempSync(join(tmpdir(), "pictures-"));
writeFileSync(join(folder, "page.html"), page(items));

await browse(folder, async (send) => {
  await send("Page.enable");
  await send("Emulation.setDeviceMetricsOverride", { width: 720, height: 1000, deviceScaleFactor: 1, mobile: false });
  await send("Page.navigate", { url: pathToFileURL(join(folder, "page.html")).href });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const found = await send("Runtime.evaluate", { expression: BOXES, awaitPromise: true });
  for (const { id, ...clip } of JSON.parse(found.result.value)) {
    const height = Math.min(clip.height, 2400);
    const shot = await send("Page.captureScreenshot", {
      clip: { ...clip, height, scale: 1 },
      captureBeyondViewport: true,
    });
    writeFileSync(join(out, `${id}.png`), Buffer.from(shot.data, "base64"));
  }
});
rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
console.log(`${items.length} pictures in ${out}`);
