// The stream helper of the openai package: prints what it made of a response, as one line of JSON.
import OpenAI from "openai";

const [baseURL, apiKey, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const types = [];
const stream = client.responses.stream({
  model,
  input: "Weather in Paris and Rome?",
  tools: [{ type: "function", name: "weather", parameters: { type: "object", properties: {} }, strict: false }],
});
for await (const event of stream) types.push(event.type);
const { status, output, usage } = await stream.finalResponse();
console.log(JSON.stringify({ types, status, output, usage }));
