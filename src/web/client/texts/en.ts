import { access } from "./en/access.ts";
import { advice } from "./en/advice.ts";
import { certificates } from "./en/certificates.ts";
import { frame } from "./en/frame.ts";
import { held } from "./en/held.ts";
import { messages } from "./en/messages.ts";
import { overview } from "./en/overview.ts";
import { reason } from "./en/reasons.ts";
import { registry } from "./en/registry.ts";
import { n } from "./en/words.ts";
import type { Texts } from "./texts.ts";

/** English. */
export const en: Texts = {
  tag: "en-GB",
  name: "English",
  others: (count) => `and ${n(count)} more`,
  ...frame,
  ...overview,
  ...certificates,
  ...messages,
  ...held,
  ...registry,
  ...access,
  ...advice,
  reason,
};
