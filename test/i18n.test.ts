import { expect, test } from "bun:test";
import type { AttemptResult, Target } from "../src/attempt.ts";
import { describeFate } from "../src/deeds/hand-delivery.ts";
import type { DeliveryOutcome } from "../src/delivery.ts";
import { ERRORS } from "../src/i18n/errors-said.ts";
import { FINDINGS } from "../src/i18n/findings-said.ts";
import { HEARD } from "../src/i18n/heard-said.ts";
import { LIFE } from "../src/i18n/life-said.ts";
import { PHRASES } from "../src/i18n/phrases.ts";
import { RESULTS } from "../src/i18n/results-said.ts";
import { SENT } from "../src/i18n/sent-said.ts";
import { translate, translateError, translateWords } from "../src/i18n/translate.ts";
import { WORDS } from "../src/i18n/words.ts";

const BOOKS = [WORDS, PHRASES, ERRORS, FINDINGS, RESULTS, LIFE, HEARD, SENT].flatMap((book) => Object.entries(book));
const valuesOf = (text: string): string[] => (text.match(/\{[~#@]?\d\}/g) ?? []).toSorted();

test("each text is there in Catalan and Spanish, with the values of the English one, each once", () => {
  for (const [english, { ca, es }] of BOOKS) {
    for (const text of [ca, es]) {
      expect([english, text.trim()]).not.toEqual([english, ""]);
      expect([english, valuesOf(text)]).toEqual([english, valuesOf(english)]);
    }
    expect([english, new Set(valuesOf(english)).size]).toEqual([english, valuesOf(english).length]);
  }
});

test("values stay as they are, words among them are said too, and what is not known stays English", () => {
  expect(translateError("unknown camera 200100885; did you mean 2001008851?", "es")).toBe(
    "no hay cámara 200100885; ¿quería decir 2001008851?",
  );
  expect(translateError("reading the PFX file: ENOENT (camera.pfx)", "ca")).toBe(
    "en llegir el PFX: no existeix (camera.pfx)",
  );
  expect(translateError("unknown municipality on", "ca")).toBe("no hi ha cap municipi on");
  const used = "removing the endpoint lectio: still used by municipality Òdena, camera 7, and 12 more";
  expect(translateError(used, "ca")).toBe(
    "no es pot treure l'endpoint lectio: encara el fa servir municipi Òdena, càmera 7, i 12 més",
  );
  const settings = 'TRANSIT_PORT must be a whole number from 1 to 65535 ("x (y)", /etc/tattile/tattile.env)';
  expect(
    translateError(`reading the configuration: ${settings}; LOG_LEVEL must be one of a, b ("z", environment)`, "es"),
  ).toBe(
    'al leer los ajustes: TRANSIT_PORT debe ser un número entero de 1 a 65535 ("x (y)", /etc/tattile/tattile.env); ' +
      'LOG_LEVEL debe ser uno de a, b ("z", entorno)',
  );
  expect(translateError("reading the PFX file: no certificate in it: deep reason", "es")).toBe(
    "al leer el PFX: no hay ningún certificado: deep reason",
  );
  expect(translateError("something else: EWHAT (x)", "es")).toBe("something else: EWHAT (x)");
  const long = "x: y is z, ".repeat(200);
  expect(translateError(`erased ${long}`, "es")).toBe(`erased ${long}`);
  expect(translate("No reading.", "en")).toBe("No reading.");
  expect([translateWords("3 min ago", "ca"), translateWords("SENT", "es"), translateWords("Òdena", "ca")]).toEqual([
    "fa 3 min",
    "ENVIADO",
    "Òdena",
  ]);
  // No word of a column is a sentence, and a plain line that is one word is none.
  expect(translate("camera", "ca")).toBe("camera");
});

test("what the sender says of an answer, and would do with the message, is said whole", () => {
  const fates: readonly [AttemptResult, string][] = [
    [{ kind: "late" }, "put back"],
    [sent({ kind: "accepted", returnCode: "1" }), "delivered"],
    [sent({ kind: "rejected", returnCode: "7", detail: "" }), "refused"],
    [sent({ kind: "unreachable", detail: "" }), "probed"],
    [sent({ kind: "unanswered", detail: "" }), "sent again"],
    [sent({ kind: "misconfigured", detail: "", scope: "endpoint" }), "the endpoint pauses until"],
    [sent({ kind: "misconfigured", detail: "", scope: "certificate" }), "this certificate pauses until"],
  ];
  const texts = fates.map(([result, part]) => {
    expect(describeFate(result)).toContain(part);
    return `In the queue it would be ${describeFate(result)}.`;
  });
  for (const text of texts) {
    for (const language of ["ca", "es"] as const) {
      expect(translate(text, language)).toMatch(/^A la cua quedaria així: |^En la cola quedaría así: /);
      expect(translate(text, language)).not.toMatch(
        /\b(it|the|is|are|and|until|only|sent|again|back|refused|without)\b/,
      );
    }
  }
  expect(translateWords("check the endpoint's address: HTTP 404: an HTML page", "es")).toBe(
    "compruebe la dirección del endpoint: HTTP 404: una página HTML",
  );
});

const TARGET: Target = {
  ...{ url: "https://police.example/", timeoutMs: 1000, retryMax: 3, retryBackoffMs: 1000, profile: "compat" },
  ...{ soapAction: null, caPath: null, timezone: "UTC", wsdl: null, tlsClientCertificate: false },
};

function sent(outcome: DeliveryOutcome): AttemptResult {
  return { kind: "sent", outcome, target: TARGET, startedAt: new Date(0), durationMs: 1, serverDate: null };
}
