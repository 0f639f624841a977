import { connecting, word } from "../connect/command";
import { type DialectName, DIALECTS } from "./dialects";
import type { Asked, Dialect, Json } from "./dialects/base";

export const LANGUAGES = ["curl", "python", "javascript", "codex", "claude"] as const;
/** Where programs find the key that are not given one. */
export const KEY_VARIABLE = "RIXIN_API_KEY";
export type CodeLanguage = (typeof LANGUAGES)[number];

type Program = { base: string; path: string; body: Json; headers: Record<string, string>; key: string };

/** A program that asks the same. Without a `key` it takes it from `KEY_VARIABLE`. */
export function code(language: CodeLanguage, dialect: DialectName, asked: Asked, key: string): string {
  const base = window.location.origin;
  const { path, headers, body }: Dialect = DIALECTS[dialect];
  const program = { base, path: path(asked.model, false), headers, body: body(asked, false), key };
  switch (language) {
    case "curl":
      return curl(program);
    case "python":
      return PYTHON[dialect](program, asked.model);
    case "javascript":
      return JAVASCRIPT[dialect](program, asked.model);
    case "codex":
      return [
        ...exported(KEY_VARIABLE, key),
        wiring("codex", base, asked.model),
        "",
        "# or, in ~/.codex/config.toml:",
        `model = ${JSON.stringify(asked.model)}`,
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
        ...exported(KEY_VARIABLE, key),
        wiring("claude", base, asked.model),
        "",
        "# or, in the shell that starts it:",
        `export ANTHROPIC_BASE_URL=${base}`,
        'export ANTHROPIC_AUTH_TOKEN="$RIXIN_API_KEY"',
        `export ANTHROPIC_MODEL=${word(asked.model)}`,
        "claude",
      ].join("\n");
  }
}

function curl({ base, path, body, headers, key }: Program): string {
  return [
    `curl ${word(base + path)}`,
    `-H "Authorization: Bearer ${key || "$RIXIN_API_KEY"}"`,
    ...Object.entries({ "Content-Type": "application/json", ...headers }).map(([name, value]) => `-H "${name}: ${value}"`),
    `-d ${word(JSON.stringify(body, null, 2))}`,
  ].join(" \\\n  ");
}

/** Fields that SDKs for Python have no parameters for. */
const UNNAMED = { openai: ["top_k", "min_p", "repetition_penalty"], anthropic: ["temperature", "top_p", "top_k"] };

const PYTHON: Record<DialectName, (program: Program, model: string) => string> = {
  chat: (program) => openaiPython(program, "chat.completions.create", "answer.choices[0].message"),
  responses: (program) => openaiPython(program, "responses.create", "answer.output"),
  messages: ({ base, body, key }) =>
    [
      ...pythonImports(key, "from anthropic import Anthropic"),
      `client = Anthropic(base_url=${JSON.stringify(base)}, api_key=${pythonKey(key)})`,
      "answer = client.messages.create(",
      ...pythonArguments(body, UNNAMED.anthropic),
      ")",
      "print(answer.content)",
    ].join("\n"),
  native: ({ base, path, body, key }) =>
    [
      ...pythonImports(key, "import requests"),
      "answer = requests.post(",
      `    ${JSON.stringify(base + path)},`,
      `    headers={"Authorization": ${key ? JSON.stringify(`Bearer ${key}`) : 'f"Bearer {os.environ[\'RIXIN_API_KEY\']}"'}},`,
      `    json=${pythonValue(body)},`,
      "    timeout=600,",
      ")",
      "answer.raise_for_status()",
      'print(answer.json()["data"]["choices"][0])',
    ].join("\n"),
  gemini: ({ base, body, key }, model) =>
    [
      ...pythonImports(key, "from google import genai"),
      `client = genai.Client(api_key=${pythonKey(key)}, http_options={"base_url": ${JSON.stringify(base)}})`,
      "answer = client.models.generate_content(",
      ...pythonArguments(geminiArguments(body, model)),
      ")",
      "print(answer.candidates[0].content.parts)",
    ].join("\n"),
};

function openaiPython({ base, body, key }: Program, call: string, printed: string): string {
  return [
    ...pythonImports(key, "from openai import OpenAI"),
    `client = OpenAI(base_url=${JSON.stringify(`${base}/v1`)}, api_key=${pythonKey(key)})`,
    `answer = client.${call}(`,
    ...pythonArguments(body, UNNAMED.openai),
    ")",
    `print(${printed})`,
  ].join("\n");
}

const JAVASCRIPT: Record<DialectName, (program: Program, model: string) => string> = {
  chat: (program) => sdkJavaScript(program, "OpenAI", "openai", "/v1", "chat.completions.create", "answer.choices[0].message"),
  responses: (program) => sdkJavaScript(program, "OpenAI", "openai", "/v1", "responses.create", "JSON.stringify(answer.output, null, 2)"),
  messages: (program) => sdkJavaScript(program, "Anthropic", "@anthropic-ai/sdk", "", "messages.create", "answer.content"),
  native: ({ base, path, body, key }) =>
    [
      `const answer = await fetch(${JSON.stringify(base + path)}, {`,
      '  method: "POST",',
      `  headers: { "Authorization": \`Bearer ${key || "${process.env.RIXIN_API_KEY}"}\`, "Content-Type": "application/json" },`,
      `  body: JSON.stringify(${JSON.stringify(body, null, 2)}),`,
      "});",
      "const { data } = await answer.json();",
      "console.log(data.choices[0]);",
    ].join("\n"),
  gemini: ({ base, body, key }, model) =>
    [
      'import { GoogleGenAI } from "@google/genai";',
      "",
      `const client = new GoogleGenAI({ apiKey: ${javaScriptKey(key)}, httpOptions: { baseUrl: ${JSON.stringify(base)} } });`,
      `const answer = await client.models.generateContent(${JSON.stringify(geminiArguments(body, model), null, 2)});`,
      "console.log(answer.candidates[0].content.parts);",
    ].join("\n"),
};

function sdkJavaScript({ base, body, key }: Program, client: string, packageName: string, prefix: string, call: string, printed: string): string {
  return [
    `import ${client} from ${JSON.stringify(packageName)};`,
    "",
    `const client = new ${client}({ baseURL: ${JSON.stringify(base + prefix)}, apiKey: ${javaScriptKey(key)} });`,
    `const answer = await client.${call}(${JSON.stringify(body, null, 2)});`,
    `console.log(${printed});`,
  ].join("\n");
}

/** Google's SDKs have one object for all that is not the conversation. */
function geminiArguments({ contents, generationConfig, ...rest }: Json, model: string): Json {
  return { model, contents, config: { ...rest, ...(generationConfig as Json) } };
}

function pythonImports(key: string, line: string): string[] {
  return [...(key ? [] : ["import os", ""]), line, ""];
}

/** The arguments of a call; fields that it has no parameters for are sent besides. */
function pythonArguments(body: Json, unnamed: string[] = []): string[] {
  const fields = Object.entries(body);
  const besides = Object.fromEntries(fields.filter(([name]) => unnamed.includes(name)));
  const named = fields.filter(([name]) => !unnamed.includes(name));
  if (Object.keys(besides).length > 0) named.push(["extra_body", besides]);
  return named.map(([name, value]) => `    ${name}=${pythonValue(value)},`);
}

const pythonKey = (key: string) => (key ? JSON.stringify(key) : 'os.environ["RIXIN_API_KEY"]');
const javaScriptKey = (key: string) => (key ? JSON.stringify(key) : "process.env.RIXIN_API_KEY");
/** What has an agent wired to this server, with the key of `KEY_VARIABLE`. */
const wiring = (agent: string, origin: string, model: string) => connecting({ agent, origin, key: "", model, smallModel: null });
const exported = (name: string, value: string) => (value ? [`export ${name}=${word(value)}`] : []);

/** JSON as Python writes it: the three words that differ stand outside of strings only. */
function pythonValue(value: unknown): string {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"|true|false|null/g, (found) => ({ true: "True", false: "False", null: "None" })[found] ?? found);
}
