import { systemClock } from "../clock.ts";
import type { Counts } from "../deeds/wipe.ts";
import { AppError } from "../errors.ts";
import { countOf } from "../format.ts";
import type { WipeKind } from "../store/holdings.ts";
import type { Store } from "../store/store.ts";
import { audited } from "./audited.ts";
import { eraseCameras } from "./camera-remove.ts";
import { eraseCertificate } from "./cert.ts";
import { type Command, defineGroup, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { requireStopped } from "./db-backup.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";

const DEDUPE_STEP = 5000;
/** After anything; the last year that every store writes as four digits. */
const FAR_FUTURE = new Date("9999-12-31T00:00:00Z");

interface Wipe {
  name: WipeKind | "all";
  what: "readings wipe" | "queue wipe" | "images wipe" | "everything wipe";
  summary: string;
  notes: readonly string[];
}

const STAYS = "What is being sent at this moment stays. Nothing can be brought back.";

const WIPES: readonly Wipe[] = [
  {
    name: "queue",
    what: "queue wipe",
    summary: "erase all that waits to be sent, with readings and images",
    notes: [STAYS, "DEAD readings stay: tattile wipe readings takes those too."],
  },
  {
    name: "readings",
    what: "readings wipe",
    summary: "erase every stored reading, waiting or DEAD, with images and quarantine",
    notes: [STAYS, "Cameras, municipalities, endpoints and certificates stay."],
  },
  {
    name: "images",
    what: "images wipe",
    summary: "erase the images of all stored readings; the readings stay",
    notes: [
      STAYS,
      "The police take no reading without its plate image: those that wait become DEAD (NO_IMAGE_AVAILABLE_OCR).",
    ],
  },
  {
    name: "all",
    what: "everything wipe",
    summary: "erase everything: readings, registrations, keys, tokens and counts",
    notes: [
      "Stop the service first (systemctl stop tattile). The settings file and the audit log stay. Nothing can be brought back: export the registrations and keep the PFX files.",
    ],
  },
];

async function countAll(store: Store): Promise<Counts> {
  const { countWipe } = await import("../deeds/wipe.ts");
  return {
    ...(await countWipe("readings", store)),
    camera: (await store.listCameras()).length,
    municipality: (await store.listMunicipalities()).length,
    endpoint: (await store.listEndpoints()).length,
    certificate: (await store.listCertificates()).length,
    token: (await store.listTokens()).length,
  };
}

async function wipe(kind: WipeKind, store: Store, context: CommandContext): Promise<Counts> {
  const [{ runWipe }, { openImages, openQuarantine }] = await Promise.all([
    import("../deeds/wipe.ts"),
    import("../images/open.ts"),
  ]);
  const config = await context.config();
  const images = openImages(config);
  const quarantine = openQuarantine(config);
  try {
    const onProgress = (text: string): void => context.out.progress(text);
    return (await runWipe(kind, { store, images, quarantine, config, clock: systemClock, onProgress })).erased;
  } finally {
    images.close();
    quarantine.close();
    context.out.clearProgress();
  }
}

/**
 * No service runs here any more: what one that died held is free, and goes too.
 * @throws AppError `conflict` while another machine or container, which cannot be looked into, may be sending
 */
async function freeSending(store: Store, now: Date): Promise<void> {
  const { freeDeadOwners } = await import("../process-name.ts");
  await freeDeadOwners(store, now);
  await store.releaseExpired(now);
  const { SENDING } = (await store.summarize()).byStatus;
  if (SENDING === 0) return;
  throw new AppError("conflict", `wiping everything: still being sent: ${countOf(SENDING, "reading")}`, {
    hint: "stop tattile on every machine; what one held that died is free in minutes (SENDER_STUCK_TIMEOUT_SECONDS)",
  });
}

async function wipeAll(store: Store, context: CommandContext): Promise<Counts> {
  await freeSending(store, context.now());
  const readings = await wipe("readings", store, context);
  const [cameras, municipalities, certificates, endpoints, tokens] = [
    await store.listCameras(),
    await store.listMunicipalities(),
    await store.listCertificates(),
    await store.listEndpoints(),
    await store.listTokens(),
  ];
  await eraseCameras(cameras, store, context);
  for (const { id } of municipalities) await store.removeMunicipality(id);
  for (const certificate of certificates) await eraseCertificate(certificate, false, store, context);
  for (const { id } of endpoints) await store.removeEndpoint(id);
  for (const { id } of tokens) await store.removeToken(id);
  await store.forgetTallies();
  while ((await store.purgeDedupe(FAR_FUTURE, DEDUPE_STEP)) === DEDUPE_STEP);
  return {
    ...readings,
    camera: cameras.length,
    municipality: municipalities.length,
    certificate: certificates.length,
    endpoint: endpoints.length,
    token: tokens.length,
  };
}

function wipeCommand({ name, what, summary, notes }: Wipe): Command {
  return defineTattileCommand({
    name: `wipe ${name}`,
    summary,
    notes,
    examples: [`tattile wipe ${name} --dry-run`, `tattile wipe ${name} --yes`],
    args: { ...REMOVE_ARGS, ...JSON_ARG },
    async run(args, context) {
      const { out } = context;
      const store = await context.store();
      const { countFields, countWipe, describeCounts } = await import("../deeds/wipe.ts");
      const counts = await (name === "all" ? countAll(store) : countWipe(name, store));
      const deed = `erase ${describeCounts(counts)}`;
      if (args["dry-run"]) return args.json ? out.json({ would: countFields(counts) }) : out.line(`would ${deed}`);
      if (name === "all") await requireStopped(context);
      await confirm(deed, args.yes, context);
      const erased = await audited({ what, detail: describeCounts(counts) }, context, () =>
        name === "all" ? wipeAll(store, context) : wipe(name, store, context),
      );
      await store.scrub();
      if (args.json) out.json({ erased: countFields(erased) });
      else out.line(`erased ${describeCounts(erased)}`);
    },
  });
}

export const wipeCommands = defineGroup(
  "wipe",
  "erase all readings, the queue, all images, or everything",
  WIPES.map(wipeCommand),
);
