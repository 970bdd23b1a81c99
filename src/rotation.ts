import { type Finding, good, quoted, warning } from "./finding.ts";
import type { Log } from "./log.ts";
import type { Certificate, Municipality, Registry, Rotation } from "./store/registry.ts";
import type { RouteState } from "./store/store.ts";

/** What a rotation calls for now. */
export type RotationStep =
  | { kind: "wait" }
  | { kind: "start" }
  | { kind: "finish"; result: { kind: "done" } | { kind: "failed"; detail: string } }
  /** Somebody assigned another certificate meanwhile: it is theirs to decide. */
  | { kind: "superseded" };

export interface RotationFacts {
  municipality: Municipality | null;
  next: Certificate | null;
  previous: Certificate | null;
  /** Whether the next certificate's files can sign. */
  nextUsable: boolean;
  routes: readonly RouteState[];
}

/**
 * Decides the next step. The next certificate signs from its first valid moment; the first message that is taken with it
 * ends the rotation, and a refusal of it gives the earlier one back, as long as that is valid: both wrong would stop the town.
 */
export function decideRotation(rotation: Rotation, facts: RotationFacts, now: Date): RotationStep {
  const { municipality, next, previous, routes } = facts;
  if (municipality === null || next === null) return { kind: "superseded" };
  if (rotation.state === "staged") {
    const isValid =
      (next.validFrom === null || now >= next.validFrom) && (next.validTo === null || now <= next.validTo);
    return isValid && facts.nextUsable ? { kind: "start" } : { kind: "wait" };
  }
  if (rotation.state === "failed" || rotation.startedAt === null) return { kind: "wait" };
  if (municipality.certificateId !== next.id) return { kind: "superseded" };
  const { startedAt } = rotation;
  const own = routes.filter(({ certificateId }) => certificateId === next.id);
  if (own.some(({ lastAcceptedAt }) => lastAcceptedAt !== null && lastAcceptedAt >= startedAt)) {
    return { kind: "finish", result: { kind: "done" } };
  }
  const refused = own.find(({ pausedUntil, pauseKind }) => pausedUntil !== null && pauseKind === "misconfigured");
  const mayGoBack = previous !== null && (previous.validTo === null || now <= previous.validTo);
  if (refused === undefined || !mayGoBack) return { kind: "wait" };
  return { kind: "finish", result: { kind: "failed", detail: refused.detail ?? "refused" } };
}

export interface RotationDeps {
  store: Pick<
    Registry,
    "listRotations" | "listMunicipalities" | "listCertificates" | "startRotation" | "finishRotation" | "cancelRotation"
  > & { listRouteStates(): Promise<readonly RouteState[]> };
  isUsable(certificate: Certificate): Promise<boolean>;
  /** For the audit log. */
  note(detail: string): Promise<void>;
  /** A municipality signs with another certificate now. */
  onSwitched(certificate: Certificate): void;
  now(): Date;
  log: Log;
}

/** Does what every rotation calls for. Cheap when there is none. @throws what the store throws */
export async function stepRotations(deps: RotationDeps): Promise<void> {
  const { store, log } = deps;
  const rotations = await store.listRotations();
  if (rotations.length === 0) return;
  const [municipalities, certificates, routes] = await Promise.all([
    store.listMunicipalities(),
    store.listCertificates(),
    store.listRouteStates(),
  ]);
  for (const rotation of rotations) {
    const municipality = municipalities.find(({ id }) => id === rotation.municipalityId) ?? null;
    const next = certificates.find(({ id }) => id === rotation.nextId) ?? null;
    const previous = certificates.find(({ id }) => id === rotation.previousId) ?? null;
    const nextUsable = next !== null && (await deps.isUsable(next));
    const step = decideRotation(rotation, { municipality, next, previous, nextUsable, routes }, deps.now());
    const town = municipality?.name ?? "";
    const fields = { municipality: town, certificate: rotation.nextId };
    switch (step.kind) {
      case "wait":
        break;
      case "start":
        await deps.note(`${town}: certificate ${rotation.nextId} signs from now on`);
        if (!(await store.startRotation(rotation.municipalityId, deps.now()))) break;
        log.info("the next certificate signs from now on; the earlier one is kept until it has had a success", fields);
        if (next !== null) deps.onSwitched(next);
        break;
      case "finish":
        if (step.result.kind === "failed") {
          const { detail } = step.result;
          await deps.note(`${town}: certificate ${rotation.nextId} was refused, ${rotation.previousId} signs again`);
          if (!(await store.finishRotation(rotation.municipalityId, step.result))) break;
          log.error("the next certificate was refused, the earlier one signs again", { ...fields, detail });
          if (previous !== null) deps.onSwitched(previous);
        } else if (await store.finishRotation(rotation.municipalityId, step.result)) {
          log.info("the next certificate had its first success; the earlier one may be removed", fields);
        }
        break;
      case "superseded":
        await store.cancelRotation(rotation.municipalityId);
        log.warn("another certificate was assigned meanwhile: the rotation is forgotten", fields);
    }
  }
}

/** Without a success for so long somebody should look, though nothing was refused. */
const LONG_MS = 86_400_000;

/** @param checked what was found of the next certificate itself */
export function judgeRotation(
  rotation: Rotation,
  town: string,
  next: Certificate,
  checked: readonly Finding[],
  now: Date,
): readonly Finding[] {
  const check = `next certificate of ${town}`;
  const again = `tattile cert rotate FILE.pfx --municipality ${quoted(town)}`;
  if (rotation.state === "failed") {
    return [
      warning(
        check,
        `was refused, the earlier one signs again: ${rotation.detail ?? "no detail"}`,
        `ask its issuer; ${again}`,
      ),
    ];
  }
  const wrong = checked.filter(({ grade }) => grade === "bad");
  // It does not sign yet: what is wrong with it stops nothing today.
  if (wrong.length > 0) return wrong.map(({ text, cure }) => warning(check, text, cure ?? again));
  const { startedAt } = rotation;
  if (startedAt === null) {
    const from = next.validFrom?.toISOString().slice(0, 16).replace("T", " ") ?? "?";
    return [good(check, `staged, signs from ${from} UTC by itself`)];
  }
  if (now.getTime() - startedAt.getTime() < LONG_MS) return [good(check, "signs, no message was taken with it yet")];
  return [
    warning(
      check,
      "signs for over a day, and no message was taken with it yet",
      "tattile status; tattile queue summary",
    ),
  ];
}
