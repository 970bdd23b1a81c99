import { ca } from "./ca.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import type { Language } from "./language.ts";

/** The same keys in every language; where a text takes values, the same ones. */
type Widened<T> = T extends (...values: infer Values) => string
  ? (...values: Values) => string
  : T extends string
    ? string
    : { readonly [Key in keyof T]: Widened<T[Key]> };
export type Catalogue = Widened<typeof en>;

export const CATALOGUES: Readonly<Record<Language, Catalogue>> = { ca, es, en };
