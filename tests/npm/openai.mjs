// The official OpenAI client: chat completions and responses.
import OpenAI from "openai";
import { colour, heard, lookUp, tool } from "./words.mjs";

const clients = new Map();

function clientOf({ url, key }) {
  const name = `${url} ${key}`;
  if (!clients.has(name)) clients.set(name, new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 }));
  return clients.get(name);
}

async function models(client) {
  const ids = [];
  for await (const listed of client.models.list()) ids.push(listed.id);
  return ids;
}

export function openChat({ manner, ...where }) {
  const client = clientOf(where);
  const messages = [];
  let calls = [];
  const fields = {};
  if (manner.tools) {
    const { name, description, schema } = tool;
    fields.tools = [{ type: "function", function: { name, description, parameters: schema } }];
  }
  if (manner.thinks) fields.reasoning_effort = "high";

  async function complete(asked) {
    if (!manner.streams) return client.chat.completions.create(asked);
    const stream = client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
    // The helper does not gather what is not OpenAI's own.
    let thoughts = "";
    stream.on("chunk", (chunk) => (thoughts += chunk.choices[0]?.delta.reasoning_content ?? ""));
    const answer = await stream.finalChatCompletion();
    if (thoughts) answer.choices[0].message.reasoning_content = thoughts;
    return answer;
  }

  async function next(model) {
    const answer = await complete({ model, messages, ...fields });
    const [{ message, finish_reason: finish }] = answer.choices;
    const { parsed: _, ...said } = message;
    calls = message.tool_calls ?? [];
    if (calls.length) {
      said.tool_calls = calls.map(({ id, type, function: { name, arguments: text } }) => ({
        id,
        type,
        function: { name, arguments: text },
      }));
    }
    messages.push(said);
    return heard({
      text: message.content,
      thinking: message.reasoning_content,
      calls: calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      ended: { stop: "done", tool_calls: "calls" }[finish] ?? finish,
      usage: [answer.usage.prompt_tokens, answer.usage.completion_tokens],
    });
  }

  return {
    async ask({ model, text, picture }) {
      const image = { type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } };
      messages.push({ role: "user", content: picture ? [{ type: "text", text }, image] : text });
      return next(model);
    },
    async give({ model, results }) {
      results.forEach((content, at) => messages.push({ role: "tool", tool_call_id: calls[at].id, content }));
      return next(model);
    },
    async describe({ model }) {
      const format = { type: "json_schema", json_schema: { name: "colour", schema: colour, strict: true } };
      const ask = [{ role: "user", content: "describe" }];
      const answer = await complete({ model, messages: ask, response_format: format });
      return JSON.parse(answer.choices[0].message.content);
    },
    async run({ model, text }) {
      const { name, description, schema } = tool;
      const run = { name, description, parameters: schema, parse: JSON.parse, function: lookUp };
      const asked = { model, messages: [{ role: "user", content: text }], stream: manner.streams, ...fields };
      return client.chat.completions.runTools({ ...asked, tools: [{ type: "function", function: run }] }).finalContent();
    },
    models: () => models(client),
  };
}

export function openResponses({ manner, ...where }) {
  const client = clientOf(where);
  const input = [];
  let calls = [];
  const fields = { store: false };
  if (manner.tools) {
    const { name, description, schema } = tool;
    fields.tools = [{ type: "function", name, description, parameters: schema, strict: false }];
  }
  if (manner.thinks) {
    fields.reasoning = { effort: "high", summary: "auto" };
    fields.include = ["reasoning.encrypted_content"];
  }

  async function respond(asked) {
    if (!manner.streams) return client.responses.create(asked);
    return client.responses.stream(asked).finalResponse();
  }

  async function next(model) {
    const answer = await respond({ model, input, ...fields });
    calls = answer.output.filter((item) => item.type === "function_call");
    for (const { parsed_arguments: _, ...item } of answer.output) {
      if (item.type === "message") item.content = item.content.map(({ parsed: _, ...part }) => part);
      input.push(item);
    }
    const thoughts = answer.output.filter((item) => item.type === "reasoning");
    return heard({
      text: answer.output_text,
      thinking: thoughts.flatMap((item) => item.summary.map((part) => part.text)).join(""),
      calls: calls.map((call) => [call.name, JSON.parse(call.arguments)]),
      ended: answer.status === "completed" ? (calls.length ? "calls" : "done") : answer.status,
      usage: [answer.usage.input_tokens, answer.usage.output_tokens],
    });
  }

  return {
    async ask({ model, text, picture }) {
      const image = { type: "input_image", image_url: `data:image/png;base64,${picture}`, detail: "auto" };
      input.push({ role: "user", content: picture ? [{ type: "input_text", text }, image] : text });
      return next(model);
    },
    async give({ model, results }) {
      results.forEach((output, at) => {
        input.push({ type: "function_call_output", call_id: calls[at].call_id, output });
      });
      return next(model);
    },
    async describe({ model }) {
      const format = { type: "json_schema", name: "colour", schema: colour, strict: true };
      return JSON.parse((await respond({ model, input: "describe", text: { format } })).output_text);
    },
    models: () => models(client),
  };
}
