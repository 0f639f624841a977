/** A function that a model may call, told by its JSON Schema. */
export type Tool = { name: string; description: string; parameters: Record<string, unknown> };

/** What is wrong with a definition: the key of a text that says it. */
export type ToolProblem = "notJson" | "notTools" | "noName" | "noParameters";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** An example of a definition. */
export const EXAMPLE_TOOLS = `[
  {
    "name": "get_weather",
    "description": "The weather of a city, now",
    "parameters": {
      "type": "object",
      "properties": { "city": { "type": "string" } },
      "required": ["city"]
    }
  }
]`;

/** The tools that a JSON text defines: one, or a list of them, each bare or as Chat Completions has them. */
export function readTools(text: string): Tool[] | ToolProblem {
  if (text.trim() === "") return [];
  let defined: unknown;
  try {
    defined = JSON.parse(text);
  } catch {
    return "notJson";
  }
  const tools: Tool[] = [];
  for (const entry of Array.isArray(defined) ? (defined as unknown[]) : [defined]) {
    const tool = isObject(entry) && isObject(entry.function) ? entry.function : entry;
    if (!isObject(tool)) return "notTools";
    const { name, description, parameters = tool.input_schema } = tool;
    if (typeof name !== "string" || !NAME.test(name)) return "noName";
    if (!isObject(parameters)) return "noParameters";
    tools.push({ name, description: typeof description === "string" ? description : "", parameters });
  }
  return tools;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
