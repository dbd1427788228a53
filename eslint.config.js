import eslint from "@eslint/js";
import tseslint from "typescript-eslint";
import { secretComparisons } from "./eslint.secrets.js";

const REDIS = { name: "ioredis", message: "Its commands fail in its own ways; take core/redis/database." };
const COMMANDS = ["node:child_process", "child_process", "execa"].map((name) => ({
  name,
  message: "What it starts is not ended with its children; take core/exec.",
}));

/** For the same file the last of these counts. */
function restrictImports(files, ...paths) {
  return { files: [files], rules: { "no-restricted-imports": ["error", { paths }] } };
}

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "app/", "test/fixtures/apps/", "**/node_modules/"] },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // Numbers and booleans read well in messages as they are.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Interfaces of ours are async where one driver needs it; another may answer at once.
      "@typescript-eslint/require-await": "off",
      "no-console": "error",
      "no-restricted-syntax": ["error", ...secretComparisons],
    },
  },
  restrictImports("bench/**/*.ts", REDIS),
  restrictImports("{core,server,proxy,monitor,provisioning,cli}/**/*.ts", REDIS, ...COMMANDS),
  restrictImports("core/redis/**/*.ts", ...COMMANDS),
  restrictImports("core/exec/**/*.ts", REDIS),
  {
    files: ["test/**/*.ts"],
    rules: {
      // chai's assertions are expressions.
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      // A test's secrets are its own.
      "no-restricted-syntax": "off",
    },
  },
);
