// The stream helper of the Anthropic package: prints what it made of a message, as one line of JSON.
import Anthropic from "@anthropic-ai/sdk";

const [baseURL, apiKey, model] = process.argv.slice(2);
const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
const types = [];
const stream = client.messages.stream({
  model,
  max_tokens: 2000,
  thinking: { type: "enabled", budget_tokens: 1024 },
  messages: [{ role: "user", content: "Weather in Paris and Rome?" }],
  tools: [{ name: "weather", input_schema: { type: "object", properties: {} } }],
});
for await (const event of stream) types.push(event.type);
const { stop_reason, content, usage } = await stream.finalMessage();
console.log(JSON.stringify({ types, stop_reason, content, usage }));
