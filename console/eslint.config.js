import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const SHOWN = "title|label|placeholder|alt|aria-label|description|message|tooltip|okText|cancelText|addonAfter|extra|tip";

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.ts", "eslint.config.js", "vite.config.ts"] },
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs.flat["recommended-latest"],
  {
    rules: {
      // All text is in src/i18n: in every language, and checked to be there by the compiler.
      "no-restricted-syntax": [
        "error",
        { selector: "JSXText[value=/\\p{L}/u]", message: "Text belongs into src/i18n." },
        { selector: `JSXAttribute[name.name=/^(${SHOWN})$/] > Literal[value=/\\p{L}/u]`, message: "Text belongs into src/i18n." },
        { selector: "JSXExpressionContainer > Literal[value=/\\p{L}/u]", message: "Text belongs into src/i18n." },
        { selector: "JSXExpressionContainer > TemplateLiteral > TemplateElement[value.raw=/\\p{L}{3}/u]", message: "Text belongs into src/i18n." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Nothing is shown as HTML that others wrote." },
        { selector: "Literal[value=/^https?:/]", message: "The console asks nobody but its own server." },
      ],
    },
  },
);
