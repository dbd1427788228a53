import eslint from "@eslint/js";
import tseslint from "typescript-eslint";
import { secretComparisons } from "./eslint.secrets.js";

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "app/", "**/node_modules/"] },
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
  {
    files: ["{core,server,proxy,monitor,provisioning,cli,bench}/**/*.ts"],
    ignores: ["core/redis/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { name: "ioredis", message: "Its commands fail in its own ways; take core/redis/database." },
      ],
    },
  },
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
