import type { Page } from "./pages.js";

const STYLE = [
  ":root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6675;--paper:#f6f7f9;--line:#3b6fd4}",
  "@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a3adbb;--paper:#14181f;--line:#7fa6f5}}",
  "*{box-sizing:border-box}",
  "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,sans-serif}",
  "main{width:100%;max-width:32rem;border-top:4px solid var(--line);padding-top:1.5rem}",
  "h1{margin:0 0 .5rem;font-size:1.6rem;line-height:1.25;overflow-wrap:break-word}",
  "p{margin:0;color:var(--soft)}",
].join("");

/** A page on one line, which asks for nothing else. */
export function pageHtml({ title, advice }: Page): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style>`;
  return `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>${title}</h1><p>${advice}</p></main></body></html>`;
}
