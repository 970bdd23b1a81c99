import { notePlates } from "./audited.ts";
import { defineTattileCommand } from "./command.ts";
import { wrap } from "./help.ts";
import { lookUpMessage } from "./lookup.ts";
import { JSON_ARG } from "./registry-output.ts";
import { parseIds } from "./values.ts";

export const explainMessageCommand = defineTattileCommand({
  name: "queue explain",
  summary: "tell the life of one message in sentences, and what would free it",
  examples: ["tattile queue explain 1234"],
  args: {
    id: { kind: "positional", required: true, about: "id of the message" },
    "show-plates": { kind: "switch", about: "show the plate in full (personal data)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const id = parseIds([args.id])[0] ?? 0;
    const store = await context.store();
    const config = await context.config();
    const found = await lookUpMessage(store, id);
    await notePlates(args["show-plates"], "queue explain", id, context);
    const { gatherExplanation } = await import("../explanation.ts");
    const options = { now: context.now(), showPlate: args["show-plates"] };
    const explanation = await gatherExplanation(found, store, config, options);
    if (args.json) return out.json({ messageId: id, status: found.message.status, ...explanation });
    for (const text of [...explanation.story, explanation.waitsFor]) {
      for (const line of wrap(out.sentence(text), out.width)) out.line(line);
    }
    if (explanation.cures.length === 0) return;
    out.line();
    out.line("What would help:");
    for (const cure of explanation.cures) out.line(`  ${out.sentence(cure)}`);
  },
});
