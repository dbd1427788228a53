import eslint from "@eslint/js";

const node = [
  "AbortController",
  "AbortSignal",
  "Buffer",
  "URL",
  "WebSocket",
  "clearInterval",
  "clearTimeout",
];
const more = ["console", "fetch", "performance", "process", "setImmediate", "setInterval", "setTimeout"];
const mocha = ["after", "afterEach", "before", "beforeEach", "describe", "it"];

export default [
  eslint.configs.recommended,
  {
    languageOptions: { globals: readonly([...node, ...more]) },
    rules: { eqeqeq: "error", "prefer-const": "error" },
  },
  { files: ["test/**"], languageOptions: { globals: readonly(mocha) } },
];

function readonly(names) {
  return Object.fromEntries(names.map((name) => [name, "readonly"]));
}
