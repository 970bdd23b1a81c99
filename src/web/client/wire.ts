import type { Static } from "typebox";
import type * as admin from "../../api/admin-schemas.ts";
import type * as messages from "../../api/message-schemas.ts";
import type * as registry from "../../api/registry-schemas.ts";
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
export type Queue = Status["queue"];
export type Attention = Wire<Static<typeof schemas.Attention>>;
export type Role = Session["role"];
export type Message = Wire<Static<typeof messages.Message>>;
export type MessageList = Wire<Static<typeof messages.MessageList>>;
export type MessageDetail = Wire<Static<typeof messages.MessageDetail>>;
export type MessageSelection = Static<typeof messages.MessageSelection>;
export type Changed = Static<typeof messages.Changed>;
export type Held = Wire<Static<typeof messages.Held>>;
export type HeldList = Wire<Static<typeof messages.HeldList>>;
export type HeldResults = Static<typeof messages.HeldResults>;
export type Certificate = Wire<Static<typeof registry.Certificate>>;
export type SavedCertificate = Wire<Static<typeof registry.SavedCertificate>>;
export type Token = Wire<Static<typeof admin.Token>>;
export type NewToken = Static<typeof admin.NewToken>;
export type MadeToken = Wire<Static<typeof admin.MadeToken>>;
export type AuditEntry = Wire<Static<typeof admin.AuditEntry>>;
export type AuditList = Wire<Static<typeof admin.AuditList>>;
export type CameraFields = Static<typeof registry.CameraFields>;
export type MunicipalityFields = Static<typeof registry.MunicipalityFields>;
export type EndpointFields = Static<typeof registry.EndpointFields>;
export type Endpoint = Wire<Static<typeof schemas.Endpoint>>;
export type EndpointTried = Static<typeof registry.EndpointTried>;
export type Removed = Static<typeof registry.Removed>;
export type PfxUpload = Static<typeof registry.PfxUpload>;

/** The event `counts`. */
export type Counts = Pick<Queue, "byStatus" | "oldestAt" | "deadByReason"> & Pick<Status, "balance">;

/** The event `activity`: what grew since the last, by camera. */
export interface Activity {
  at: string;
  cameras: readonly { serial: string; queued?: number; delivered?: number }[];
}

/** What a token of this role may do. */
export function mayOperate(role: Role): boolean {
  return role !== "viewer";
}
