import type { Static } from "typebox";
import type * as schemas from "../../api/schemas.ts";

/** What JSON makes of a value of the API: an instant is text. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Wire<T[K]> }
      : T;

export type Session = Wire<Static<typeof schemas.Session>>;
export type Setup = Wire<Static<typeof schemas.Setup>>;
export type Status = Wire<Static<typeof schemas.StatusReport>>;
export type Attention = Wire<Static<typeof schemas.Attention>>;
export type Role = Session["role"];
