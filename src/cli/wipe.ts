import { systemClock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { countOf } from "../format.ts";
import type { Store } from "../store/store.ts";
import { audited } from "./audited.ts";
import { eraseCameras } from "./camera-remove.ts";
import { eraseCertificate } from "./cert.ts";
import { type Command, defineGroup, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { eraseHeld } from "./held-messages.ts";
import { discardWithImages, eraseImages } from "./images.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";

/** More than the bounds of the quarantine allow by default. */
const MOST_HELD = 1_000_000;
const DEDUPE_STEP = 5000;
/** After anything; the last year that every store writes as four digits. */
const FAR_FUTURE = new Date("9999-12-31T00:00:00Z");

type Counts = Readonly<Record<string, number>>;

interface Wipe {
  name: "readings" | "queue" | "images" | "all";
  what: "readings wipe" | "queue wipe" | "images wipe" | "everything wipe";
  summary: string;
  notes: readonly string[];
  /** What is there to be erased. */
  count(store: Store, context: CommandContext): Promise<Counts>;
  /** @returns what was erased. */
  run(store: Store, context: CommandContext): Promise<Counts>;
}

const STAYS = "What is being sent at this moment stays. Nothing can be brought back.";

const WIPES: readonly Wipe[] = [
  {
    name: "queue",
    what: "queue wipe",
    summary: "erase all that waits to be sent, with readings and images",
    notes: [STAYS, "DEAD readings stay: tattile wipe readings takes those too."],
    count: async (store) => {
      const { byStatus } = await store.summarize();
      return { "waiting reading": byStatus.PENDING + byStatus.FAILED };
    },
    run: async (store, context) => {
      const { readings, images } = await discardWithImages({ statuses: ["PENDING", "FAILED"] }, store, context);
      return { reading: readings, image: images };
    },
  },
  {
    name: "readings",
    what: "readings wipe",
    summary: "erase every stored reading, waiting or DEAD, with images and quarantine",
    notes: [STAYS, "Cameras, municipalities, endpoints and certificates stay."],
    count: countReadings,
    run: wipeReadings,
  },
  {
    name: "images",
    what: "images wipe",
    summary: "erase the images of all stored readings; the readings stay",
    notes: [
      STAYS,
      "The police take no reading without its plate image: those that wait become DEAD (NO_IMAGE_AVAILABLE_OCR).",
    ],
    count: async (store) => ({ "stored reading with images": await countPictured(store) }),
    run: async (store, context) => {
      const { readings, imagePaths } = await store.detachImages();
      const images = await eraseImages(imagePaths, context);
      return { reading: readings, image: images + (await eraseOrphans(store, context)) };
    },
  },
  {
    name: "all",
    what: "everything wipe",
    summary: "erase everything: readings, registrations, keys, tokens and counts",
    notes: [
      "Stop the service first (systemctl stop tattile). The settings file and the audit log stay. Nothing can be brought back: export the registrations and keep the PFX files.",
    ],
    count: async (store) => ({
      ...(await countReadings(store)),
      camera: (await store.listCameras()).length,
      municipality: (await store.listMunicipalities()).length,
      endpoint: (await store.listEndpoints()).length,
      certificate: (await store.listCertificates()).length,
      token: (await store.listTokens()).length,
    }),
    run: wipeAll,
  },
];

async function countReadings(store: Store): Promise<Counts> {
  const { byStatus } = await store.summarize();
  return {
    "stored reading": byStatus.PENDING + byStatus.FAILED + byStatus.DEAD,
    "held message": (await store.listQuarantine({}, MOST_HELD)).length,
  };
}

async function countPictured(store: Store): Promise<number> {
  const messages = await store.listMessages({ statuses: ["PENDING", "FAILED", "DEAD"] }, MOST_HELD);
  return messages.filter((m) => m.hasOcrImage || m.hasCtxImage).length;
}

async function wipeReadings(store: Store, context: CommandContext): Promise<Counts> {
  const { readings, images } = await discardWithImages({}, store, context);
  const held = await store.listQuarantine({}, MOST_HELD);
  await eraseHeld(held, store, context);
  const { wipeSpool } = await import("../store/spool-open.ts");
  const spooled = await wipeSpool(await context.config(), systemClock);
  return {
    reading: readings + spooled,
    image: images + (await eraseOrphans(store, context)),
    "held message": held.length,
  };
}

/** Pictures that no reading refers to. */
async function eraseOrphans(store: Store, context: CommandContext): Promise<number> {
  const [{ ORPHAN_AGE_MS, sweep }, { openImages }] = await Promise.all([
    import("../cleanup.ts"),
    import("../images/open.ts"),
  ]);
  const images = openImages(await context.config());
  try {
    const before = new Date(context.now().getTime() - ORPHAN_AGE_MS);
    return await sweep(images, (paths) => store.findReferenced(paths), before);
  } finally {
    images.close();
  }
}

async function wipeAll(store: Store, context: CommandContext): Promise<Counts> {
  const { SENDING } = (await store.summarize()).byStatus;
  if (SENDING > 0) {
    throw new AppError("conflict", `wiping everything: still being sent: ${countOf(SENDING, "reading")}`, {
      hint: "systemctl stop tattile, and again",
    });
  }
  const readings = await wipeReadings(store, context);
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

/** `12 readings, 24 images`; what is none is left out. */
function describeCounts(counts: Counts): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([noun, count]) => (count === 1 ? `1 ${noun}` : `${count.toLocaleString("en")} ${plural(noun)}`));
  return parts.join(", ") || "nothing";
}

/** `stored reading with images` is many `stored readings with images`. */
function plural(noun: string): string {
  const [first = "", ...rest] = noun.split(" with ");
  const many = first.endsWith("y") ? `${first.slice(0, -1)}ies` : `${first}s`;
  return [many, ...rest].join(" with ");
}

/** Fields of JSON: `held message` is `heldMessages`. */
function asFields(counts: Counts): Counts {
  const name = (noun: string): string => plural(noun).replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(counts).map(([noun, count]) => [name(noun), count]));
}

function wipeCommand({ name, what, summary, notes, count, run }: Wipe): Command {
  return defineTattileCommand({
    name: `wipe ${name}`,
    summary,
    notes,
    examples: [`tattile wipe ${name} --dry-run`, `tattile wipe ${name} --yes`],
    args: { ...REMOVE_ARGS, ...JSON_ARG },
    async run(args, context) {
      const { out } = context;
      const store = await context.store();
      const counts = await count(store, context);
      const deed = `erase ${describeCounts(counts)}`;
      if (args["dry-run"]) return args.json ? out.json({ would: asFields(counts) }) : out.line(`would ${deed}`);
      await confirm(deed, args.yes, context);
      const erased = await audited({ what, detail: describeCounts(counts) }, context, () => run(store, context));
      await store.scrub();
      if (args.json) out.json({ erased: asFields(erased) });
      else out.line(`erased ${describeCounts(erased)}`);
    },
  });
}

export const wipeCommands = defineGroup(
  "wipe",
  "erase all readings, the queue, all images, or everything",
  WIPES.map(wipeCommand),
);
