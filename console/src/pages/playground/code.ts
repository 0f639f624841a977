import { DIALECTS, type DialectName } from "./dialects";
import type { Parameters, Turn } from "./turn";

export const LANGUAGES = ["curl", "python", "javascript", "codex", "claude"] as const;
export type CodeLanguage = (typeof LANGUAGES)[number];

/** A program that asks the same, with the key in the variable `RIXIN_API_KEY`. */
export function code(language: CodeLanguage, dialect: DialectName, model: string, turns: Turn[], parameters: Parameters): string {
  const base = window.location.origin;
  const { path, body: made } = DIALECTS[dialect];
  const body = { ...made(model, turns, parameters) };
  delete body.stream;
  delete body.stream_options;
  switch (language) {
    case "curl":
      return [
        `curl ${base}${path}`,
        dialect === "messages" ? '-H "x-api-key: $RIXIN_API_KEY" -H "anthropic-version: 2023-06-01"' : '-H "Authorization: Bearer $RIXIN_API_KEY"',
        '-H "Content-Type: application/json"',
        `-d ${quoted(JSON.stringify(body, null, 2))}`,
      ].join(" \\\n  ");
    case "python":
      return python(dialect, base, body);
    case "javascript":
      return javascript(dialect, base, body);
    case "codex":
      return [
        "rixin connect codex",
        "",
        "# or, in ~/.codex/config.toml:",
        `model = ${JSON.stringify(model)}`,
        'model_provider = "rixin"',
        "",
        "[model_providers.rixin]",
        'name = "Rixin"',
        `base_url = ${JSON.stringify(`${base}/v1`)}`,
        'env_key = "RIXIN_API_KEY"',
        'wire_api = "responses"',
      ].join("\n");
    case "claude":
      return [
        "rixin connect claude",
        "",
        "# or, in the shell that starts it:",
        `export ANTHROPIC_BASE_URL=${base}`,
        'export ANTHROPIC_AUTH_TOKEN="$RIXIN_API_KEY"',
        `export ANTHROPIC_MODEL=${quoted(model)}`,
        "claude",
      ].join("\n");
  }
}

const CALLS = { chat: "chat.completions.create", responses: "responses.create", messages: "messages.create" };
const TEXTS = {
  chat: { python: "answer.choices[0].message.content", javascript: "answer.choices[0].message.content" },
  responses: { python: "answer.output_text", javascript: "answer.output_text" },
  messages: { python: "answer.content[-1].text", javascript: "answer.content.at(-1).text" },
};
/** Fields that the OpenAI SDK for Python has no parameters for. */
const EXTRA = ["top_k", "min_p", "repetition_penalty"];

function python(dialect: DialectName, base: string, body: Record<string, unknown>): string {
  const anthropic = dialect === "messages";
  const named = Object.entries(body).filter(([name]) => anthropic || !EXTRA.includes(name));
  const extra = Object.fromEntries(Object.entries(body).filter(([name]) => !anthropic && EXTRA.includes(name)));
  return [
    "import os",
    "",
    anthropic ? "from anthropic import Anthropic" : "from openai import OpenAI",
    "",
    `client = ${anthropic ? "Anthropic" : "OpenAI"}(base_url=${JSON.stringify(anthropic ? base : `${base}/v1`)}, api_key=os.environ["RIXIN_API_KEY"])`,
    `answer = client.${CALLS[dialect]}(`,
    ...named.map(([name, value]) => `    ${name}=${pythonValue(value)},`),
    ...(Object.keys(extra).length > 0 ? [`    extra_body=${pythonValue(extra)},`] : []),
    ")",
    `print(${TEXTS[dialect].python})`,
  ].join("\n");
}

function javascript(dialect: DialectName, base: string, body: Record<string, unknown>): string {
  const anthropic = dialect === "messages";
  return [
    anthropic ? 'import Anthropic from "@anthropic-ai/sdk";' : 'import OpenAI from "openai";',
    "",
    `const client = new ${anthropic ? "Anthropic" : "OpenAI"}({`,
    `  baseURL: ${JSON.stringify(anthropic ? base : `${base}/v1`)},`,
    "  apiKey: process.env.RIXIN_API_KEY,",
    "});",
    `const answer = await client.${CALLS[dialect]}(${JSON.stringify(body, null, 2)});`,
    `console.log(${TEXTS[dialect].javascript});`,
  ].join("\n");
}

/** JSON as Python writes it: the three words that differ stand outside of strings only. */
function pythonValue(value: unknown): string {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"|true|false|null/g, (word) => ({ true: "True", false: "False", null: "None" })[word] ?? word);
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
