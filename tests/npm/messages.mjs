// The official Anthropic client.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { colour, heard, lookUp, tool } from "./words.mjs";

const clients = new Map();

function clientOf({ url, key }) {
  const name = `${url} ${key}`;
  if (!clients.has(name)) clients.set(name, new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 }));
  return clients.get(name);
}

export function openMessages({ manner, ...where }) {
  const client = clientOf(where);
  const messages = [];
  let calls = [];
  const fields = { max_tokens: 4000 };
  if (manner.tools) {
    fields.tools = [{ name: tool.name, description: tool.description, input_schema: tool.schema }];
  }
  if (manner.thinks) fields.thinking = { type: "enabled", budget_tokens: 2048 };

  async function message(asked) {
    return manner.streams ? client.messages.stream(asked).finalMessage() : client.messages.create(asked);
  }

  async function next(model) {
    const answer = await message({ model, messages, ...fields });
    messages.push({ role: "assistant", content: answer.content });
    const of = (type) => answer.content.filter((block) => block.type === type);
    calls = of("tool_use");
    const { usage } = answer;
    const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
    return heard({
      text: of("text").map((block) => block.text).join(""),
      thinking: of("thinking").map((block) => block.thinking).join(""),
      calls: calls.map((call) => [call.name, call.input]),
      ended: { end_turn: "done", tool_use: "calls" }[answer.stop_reason] ?? answer.stop_reason,
      usage: [usage.input_tokens + cached, usage.output_tokens],
    });
  }

  return {
    async ask({ model, text, picture }) {
      const source = { type: "base64", media_type: "image/png", data: picture };
      messages.push({ role: "user", content: picture ? [{ type: "image", source }, { type: "text", text }] : text });
      return next(model);
    },
    async give({ model, results }) {
      const content = results.map((said, at) => ({ type: "tool_result", tool_use_id: calls[at].id, content: said }));
      messages.push({ role: "user", content });
      return next(model);
    },
    async describe({ model }) {
      const format = { type: "json_schema", schema: colour };
      const ask = [{ role: "user", content: "describe" }];
      const answer = await message({ model, max_tokens: 500, messages: ask, output_config: { format } });
      return JSON.parse(answer.content[0].text);
    },
    async run({ model, text }) {
      const { name, description, schema } = tool;
      const tools = [betaTool({ name, description, inputSchema: schema, run: lookUp })];
      const asked = { model, messages: [{ role: "user", content: text }], stream: manner.streams, ...fields, tools };
      const last = await client.beta.messages.toolRunner(asked).runUntilDone();
      return last.content.filter((block) => block.type === "text").map((block) => block.text).join("");
    },
    async models() {
      const ids = [];
      for await (const listed of client.models.list()) ids.push(listed.id);
      return ids;
    },
  };
}
