import { access } from "./ca/access.ts";
import { advice } from "./ca/advice.ts";
import { certificates } from "./ca/certificates.ts";
import { frame } from "./ca/frame.ts";
import { held } from "./ca/held.ts";
import { messages } from "./ca/messages.ts";
import { overview } from "./ca/overview.ts";
import { reason } from "./ca/reasons.ts";
import { registry } from "./ca/registry.ts";
import { n } from "./ca/words.ts";
import type { Texts } from "./texts.ts";

/** Catalan. */
export const ca: Texts = {
  tag: "ca-ES",
  name: "Català",
  others: (count) => `i ${n(count)} més`,
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
