// The AI SDK with its providers for OpenAI-compatible servers and for Anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, jsonSchema, stepCountIs, streamText, tool as toolOf } from "ai";
import { colour, heard, lookUp, tool } from "./words.mjs";

function open(modelOf, manner, providerOptions) {
  const messages = [];
  let calls = [];
  const fields = { maxRetries: 0, ...(manner.thinks ? { providerOptions } : {}) };
  if (manner.tools) {
    const declared = toolOf({ description: tool.description, inputSchema: jsonSchema(tool.schema) });
    fields.tools = { [tool.name]: declared };
  }

  async function generated(asked) {
    if (!manner.streams) return generateText(asked);
    const failures = [];
    const result = streamText({ ...asked, onError: ({ error }) => failures.push(error) });
    await result.consumeStream({ onError: (error) => failures.push(error) });
    if (failures.length) throw failures[0];
    return result;
  }

  async function next(model) {
    const answer = await generated({ model: modelOf(model), messages, ...fields });
    calls = await answer.toolCalls;
    messages.push(...(await answer.response).messages);
    const [usage, reason] = [await answer.usage, await answer.finishReason];
    return heard({
      text: await answer.text,
      thinking: await answer.reasoningText,
      calls: calls.map((call) => [call.toolName, call.input]),
      ended: { stop: "done", "tool-calls": "calls" }[reason] ?? reason,
      usage: [usage.inputTokens, usage.outputTokens],
    });
  }

  return {
    async ask({ model, text, picture }) {
      const image = { type: "file", data: picture, mediaType: "image/png" };
      messages.push({ role: "user", content: picture ? [{ type: "text", text }, image] : text });
      return next(model);
    },
    async give({ model, results }) {
      const content = results.map((value, at) => {
        const { toolCallId, toolName } = calls[at];
        return { type: "tool-result", toolCallId, toolName, output: { type: "text", value } };
      });
      messages.push({ role: "tool", content });
      return next(model);
    },
    async run({ model, text }) {
      const run = toolOf({
        description: tool.description,
        inputSchema: jsonSchema(tool.schema),
        execute: async (input) => lookUp(input),
      });
      const asked = { model: modelOf(model), prompt: text, ...fields, tools: { [tool.name]: run } };
      const answer = await generated({ ...asked, stopWhen: stepCountIs(5) });
      return answer.text;
    },
    async describe({ model }) {
      const output = Output.object({ schema: jsonSchema(colour) });
      const answer = await generated({ model: modelOf(model), prompt: "describe", output, maxRetries: 0 });
      return answer.output;
    },
  };
}

export function aiOpenAiCompatible({ manner, url, key }) {
  const settings = { includeUsage: true, supportsStructuredOutputs: true };
  const provider = createOpenAICompatible({ name: "pointsman", baseURL: `${url}/v1`, apiKey: key, ...settings });
  return open((model) => provider(model), manner, { pointsman: { reasoningEffort: "high" } });
}

export function aiAnthropic({ manner, url, key }) {
  const provider = createAnthropic({ baseURL: `${url}/v1`, apiKey: key });
  return open((model) => provider(model), manner, {
    anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } },
  });
}
