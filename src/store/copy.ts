import { createHash } from "node:crypto";
import { AppError } from "../errors.ts";
import type { ImageStore } from "../images/image-store.ts";
import { MESSAGE_STATUSES, type MessageStatus } from "../message.ts";
import { copyRecords, type RecordsReport } from "./copy-records.ts";
import type { StoredMessage } from "./copying.ts";
import { type Certificate, type CertificateChoice, listRegistered, type Registry } from "./registry.ts";
import type { Quarantined, Store } from "./store.ts";
import type { TallyCount } from "./transfer.ts";
import { uniqueNames } from "./unique-names.ts";

/** What a copy of the registry did: where each id of the source is in the target. */
export interface RegistryCopy {
  endpoints: ReadonlyMap<number, number>;
  certificates: ReadonlyMap<number, number>;
  municipalities: ReadonlyMap<number, number>;
  cameras: number;
}

/**
 * Adds everything that is registered to another store, by name, in one transaction; what is there already is changed. Done again
 * it changes nothing. Key and certificate files stay where they are: the paths are copied. Records that the replaced system gave
 * the name of another get a number behind it, so that none of them takes the other's place.
 */
export async function copyRegistry(source: Registry, target: Registry): Promise<RegistryCopy> {
  const { endpoints, certificates, municipalities, cameras } = await listRegistered(source);
  const endpointNames = uniqueNames(endpoints);
  const municipalityNames = uniqueNames(municipalities);
  const present = await target.listCertificates();
  const isSame = (one: Certificate, other: Certificate): boolean =>
    other.fingerprint === one.fingerprint && other.name === one.name && other.clientCertPath === one.clientCertPath;
  const choices = new Map<number, CertificateChoice>();
  const added: Certificate[] = [];
  for (const certificate of certificates) {
    const same = present.find((one) => isSame(one, certificate));
    choices.set(certificate.id, same === undefined ? { added: added.length } : { id: same.id });
    if (same === undefined) added.push(certificate);
  }
  const endpointOf = (id: number | null): string | null => (id === null ? null : (endpointNames.get(id) ?? null));
  await target.applyRegistry({
    endpoints: endpoints.map(({ id, ...endpoint }) => ({ ...endpoint, name: endpointNames.get(id) ?? endpoint.name })),
    // Whose it is follows from the municipality.
    certificates: added.map(({ id: _, municipalityId: _owner, ...certificate }) => certificate),
    municipalities: municipalities.map(({ id, endpointId, certificateId, ...municipality }) => ({
      ...municipality,
      name: municipalityNames.get(id) ?? municipality.name,
      endpoint: endpointOf(endpointId),
      certificate: certificateId === null ? null : (choices.get(certificateId) ?? null),
    })),
    cameras: cameras.map(
      ({ id: _, lastReadingAt: _read, lastSentAt: _sent, municipalityId, endpointId, ...camera }) => ({
        ...camera,
        municipality: municipalityNames.get(municipalityId) ?? "",
        endpoint: endpointOf(endpointId),
      }),
    ),
    removed: { cameras: [], municipalities: [], certificates: [], endpoints: [] },
  });
  const copied = await listRegistered(target);
  const isNew = ({ id }: Certificate): boolean => !present.some((one) => one.id === id);
  const arrived = copied.certificates.filter(
    (one) => isNew(one) && added.some((certificate) => isSame(one, certificate)),
  );
  return {
    endpoints: idsByName(endpointNames, copied.endpoints),
    municipalities: idsByName(municipalityNames, copied.municipalities),
    certificates: new Map(
      [...choices].map(([id, choice]) => [
        id,
        choice === null ? 0 : "id" in choice ? choice.id : (arrived[choice.added]?.id ?? 0),
      ]),
    ),
    cameras: cameras.length,
  };
}

function idsByName(
  names: ReadonlyMap<number, string>,
  copied: readonly { id: number; name: string }[],
): ReadonlyMap<number, number> {
  const ids = new Map(copied.map(({ id, name }) => [name, id]));
  return new Map([...names].map(([id, name]) => [id, ids.get(name) ?? 0]));
}

/** Files that go along; null: both stores use the same place. */
export interface CopiedFiles {
  from: ImageStore;
  to: ImageStore;
}

export interface CopyDeps {
  source: Store;
  /** Names the source for ever, so that an interrupted copy goes on where it was. */
  sourceId: string;
  target: Store;
  images: CopiedFiles | null;
  quarantine: CopiedFiles | null;
  now(): Date;
  onProgress(text: string): void;
}

export interface CopyReport extends RecordsReport {
  cameras: number;
  messages: number;
  heldMessages: number;
  hashes: number;
  files: number;
  /** Pictures that were gone in the source already. */
  missingFiles: number;
  byStatus: Readonly<Record<MessageStatus, number>>;
  /** Of all messages, the same in both stores. */
  digest: string;
}

const BATCH = 250;
const FILES_AT_ONCE = 16;
const HASHES = 2000;
const MOST_HELD = 1_000_000;

/**
 * Copies a store that nobody works on into an empty one: registrations, queue, held messages, counts, hashes, tokens, the audit
 * log and the files beside them; then reads both and compares. Interrupted, it goes on with the next batch when it is called again. The source
 * is only read.
 * @throws AppError `conflict` when the target holds something else, or the copy turns out to differ
 */
export async function copyStore(deps: CopyDeps): Promise<CopyReport> {
  const { source, target, now } = deps;
  const begun = `copy/${deps.sourceId}`;
  if (!(await target.isTransferred(begun))) {
    await requireEmpty(target);
    await target.transfer(begun, { entries: [], tallies: [] }, now());
  }
  deps.onProgress("copying what is registered");
  const registered = await copyRegistry(source, target);
  await copyPlans(source, target, registered);
  const files = { files: 0, missingFiles: 0 };
  await copyMessages(begun, deps, files);
  const held = await source.listQuarantine({}, MOST_HELD);
  await copyHeld(begun, held, deps, files);
  const hashes = await copyHashes(deps);
  const { endpoints, cameras } = registered;
  const records = await copyRecords({ ...deps, begun, endpoints });
  deps.onProgress("comparing");
  const [before, after] = [await digestMessages(source, deps), await digestMessages(target, deps)];
  const heldAfter = (await target.listQuarantine({}, MOST_HELD)).length;
  if (before.digest !== after.digest || before.messages !== after.messages || heldAfter !== held.length) {
    throw new AppError(
      "conflict",
      `copying: the copy differs (${before.messages} messages and ${after.messages}, held ${held.length} and ${heldAfter})`,
      { hint: "The source or the target was worked on meanwhile: empty the target database and copy again." },
    );
  }
  return { cameras, heldMessages: held.length, hashes, ...records, ...files, ...after };
}

/** What is to happen to what is registered: certificates that wait for their first day, cameras that leave with their queue. */
async function copyPlans(source: Store, target: Store, { municipalities, certificates }: RegistryCopy): Promise<void> {
  const planned = new Set((await target.listRotations()).map(({ municipalityId }) => municipalityId));
  for (const { municipalityId, nextId, state, stagedAt } of await source.listRotations()) {
    const [municipality, next] = [municipalities.get(municipalityId), certificates.get(nextId)];
    // One that is being tried signs already; one that failed is only told of.
    if (state !== "staged" || municipality === undefined || next === undefined || planned.has(municipality)) continue;
    await target.stageRotation(municipality, next, stagedAt);
  }
  const leaving = new Set(await source.listRetiring());
  for (const { id, serial } of await source.listCameras()) {
    const camera = leaving.has(id) ? await target.findCamera(serial) : null;
    if (camera !== null) await target.retireCamera(camera.id);
  }
}

async function requireEmpty(target: Store): Promise<void> {
  const { readings } = await target.summarize();
  const held = (await target.listQuarantine({}, 1)).length;
  if (readings + held === 0) return;
  throw new AppError("conflict", `copying: the target holds something already (${readings} readings)`, {
    hint: "Name an empty database.",
  });
}

async function copyMessages(begun: string, deps: CopyDeps, files: FileCounts): Promise<void> {
  const { source, target, now } = deps;
  let copied = 0;
  for (let after = 0, full = true; full; ) {
    const batch = await source.exportMessages(after, BATCH);
    const [first, last] = [batch.at(0), batch.at(-1)];
    if (first === undefined || last === undefined) return;
    const batchId = `${begun}/messages/${first.id}-${last.id}/${digestOf(batch)}`;
    if (!(await target.isTransferred(batchId))) {
      const paths = batch.flatMap(({ reading }) => [reading.imageOcrPath, reading.imageCtxPath]);
      await copyFiles(paths, deps.images, files);
      await target.importMessages(batchId, batch, now());
    }
    copied += batch.length;
    deps.onProgress(`copying messages: ${copied}`);
    after = last.id;
    full = batch.length === BATCH;
  }
}

/** Held messages and the lasting counts; of these those that taking over adds by itself are left out. */
async function copyHeld(begun: string, held: readonly Quarantined[], deps: CopyDeps, files: FileCounts): Promise<void> {
  const { source, target, now } = deps;
  const counted = new Map<string, number>();
  for (let at = 0; at < held.length; at += BATCH) {
    const batch = held.slice(at, at + BATCH);
    await copyFiles(
      batch.map(({ path }) => path),
      deps.quarantine,
      files,
    );
    const entries = batch.map(({ id: _, ...quarantined }) => ({ kind: "quarantine", quarantined }) as const);
    for (const { kind, cameraSerial } of batch) {
      const key = `${kind} ${cameraSerial ?? "(unknown)"}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
    await target.transfer(`${begun}/held/${batch[0]?.id}`, { entries, tallies: [] }, now());
    deps.onProgress(`copying held messages: ${at + batch.length} of ${held.length}`);
  }
  const tallies: TallyCount[] = (await source.tallies())
    .map((tally) => ({ ...tally, count: tally.count - (counted.get(`${tally.tally} ${tally.cameraSerial}`) ?? 0) }))
    .filter(({ count }) => count > 0);
  await target.transfer(`${begun}/tallies`, { entries: [], tallies }, now());
}

async function copyHashes({ source, target, onProgress }: CopyDeps): Promise<number> {
  let copied = 0;
  for (let after: Uint8Array | null = null, full = true; full; ) {
    const hashes = await source.listHashes(after, HASHES);
    if (hashes.length > 0) await target.addHashes(hashes);
    copied += hashes.length;
    onProgress(`copying hashes: ${copied}`);
    after = hashes.at(-1)?.key ?? after;
    full = hashes.length === HASHES;
  }
  return copied;
}

type FileCounts = { files: number; missingFiles: number };

/** Durable before the rows that refer to them, and read back: what arrived is what left. */
async function copyFiles(
  paths: readonly (string | null)[],
  places: CopiedFiles | null,
  counts: FileCounts,
): Promise<void> {
  if (places === null) return;
  const { from, to } = places;
  const all = paths.filter((path) => path !== null);
  for (let at = 0; at < all.length; at += FILES_AT_ONCE) {
    const step = all.slice(at, at + FILES_AT_ONCE);
    await Promise.all(
      step.map(async (path) => {
        const bytes = await from.read(path);
        if (bytes === null) {
          counts.missingFiles += 1;
          return;
        }
        await to.replace(path, bytes);
        const arrived = await to.read(path);
        if (arrived === null || Buffer.compare(bytes, arrived) !== 0) {
          throw new AppError("unavailable", "copying files: what arrived is not what left", {
            hint: "Check the place of the pictures, and copy again.",
          });
        }
        counts.files += 1;
      }),
    );
  }
  await to.flush();
}

async function digestMessages(
  store: Store,
  { onProgress }: CopyDeps,
): Promise<Pick<CopyReport, "messages" | "byStatus" | "digest">> {
  const byStatus = Object.fromEntries(MESSAGE_STATUSES.map((status) => [status, 0])) as Record<MessageStatus, number>;
  let messages = 0;
  let sum = 0n;
  for (let after = 0, full = true; full; ) {
    const batch = await store.exportMessages(after, BATCH);
    for (const message of batch) {
      const status = message.status === "SENDING" ? "PENDING" : message.status;
      byStatus[status] += 1;
      // A sum: the order in which a store keeps them says nothing.
      sum = (sum + BigInt(`0x${digestOf([message])}`)) % 2n ** 256n;
    }
    messages += batch.length;
    onProgress(`comparing: ${messages}`);
    after = batch.at(-1)?.id ?? after;
    full = batch.length === BATCH;
  }
  return { messages, byStatus, digest: sum.toString(16).padStart(64, "0") };
}

/** SHA-256 of what messages say, whatever ids they bear and in whatever order their fields come. */
function digestOf(messages: readonly StoredMessage[]): string {
  const hash = createHash("sha256");
  for (const { id: _, ...message } of messages) {
    hash.update(canonical({ ...message, status: message.status === "SENDING" ? "PENDING" : message.status }));
  }
  return hash.digest("hex");
}

/** PostgreSQL's texts hold no NUL and no half of a surrogate pair: both sides are compared as it writes them. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === "string") return one.toWellFormed().replaceAll("\0", "\ufffd");
    if (typeof one !== "object" || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
