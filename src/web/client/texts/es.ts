import { access } from "./es/access.ts";
import { advice } from "./es/advice.ts";
import { certificates } from "./es/certificates.ts";
import { frame } from "./es/frame.ts";
import { held } from "./es/held.ts";
import { messages } from "./es/messages.ts";
import { overview } from "./es/overview.ts";
import { reason } from "./es/reasons.ts";
import { registry } from "./es/registry.ts";
import { n } from "./es/words.ts";
import type { Texts } from "./texts.ts";

/** Spanish. */
export const es: Texts = {
  tag: "es-ES",
  name: "Español",
  others: (count) => `y ${n(count)} más`,
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
