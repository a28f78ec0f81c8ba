// What may not be in our JavaScript, that of the page and that of its tests: `npm run lint` here, `make lint-web` at the root.

import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/dist/", "**/node_modules/"] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-unused-vars": ["error", { caughtErrors: "all" }],
      // Text from people goes in as text, never as markup.
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "setHTMLUnsafe"].map((property) => ({
          property,
          message: "Text from people goes in as text, never as markup: see dom.js.",
        })),
      ],
    },
  },
  { files: ["web/src/**"], languageOptions: { globals: globals.browser } },
  { files: ["web/*.config.js"], languageOptions: { globals: globals.node } },
  // What a test does in the page stands among what it does outside.
  { files: ["tests/web/**", "tests/uppy/**"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
];
