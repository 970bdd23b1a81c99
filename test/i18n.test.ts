import { expect, test } from "bun:test";
import { ERRORS } from "../src/i18n/errors-said.ts";
import { FINDINGS } from "../src/i18n/findings-said.ts";
import { HEARD } from "../src/i18n/heard-said.ts";
import { LIFE } from "../src/i18n/life-said.ts";
import { PHRASES } from "../src/i18n/phrases.ts";
import { RESULTS } from "../src/i18n/results-said.ts";
import { translate, translateError, translateWords } from "../src/i18n/translate.ts";
import { WORDS } from "../src/i18n/words.ts";

const BOOKS = [WORDS, PHRASES, ERRORS, FINDINGS, RESULTS, LIFE, HEARD].flatMap((book) => Object.entries(book));
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
