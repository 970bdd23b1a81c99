import { checkCertificate, firstValidMoment } from "../certificate-check.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Check } from "../doctor.ts";
import { estimateDrift, estimateHourlyDrift, judgeDrift, judgeRegistrations, judgeSilence } from "../doctor-cameras.ts";
import { judgeTimeServer, type TimeAnswer } from "../doctor-clock.ts";
import { judgeEndpoint } from "../doctor-endpoint.ts";
import { judgeDisk, judgeFolder, judgePort, judgeServices, judgeUnits, type PortProbe } from "../doctor-machine.ts";
import { askTimeServer, probeEndpoint, probeWsdl, wsdlBeside } from "../doctor-probes.ts";
import { probeDisks, probeFolder, probeUpdates, readCertificateFiles, readUnits } from "../doctor-system.ts";
import { judgeUpdates } from "../doctor-updates.ts";
import { judgeWsdl } from "../doctor-wsdl.ts";
import { bad, good, quoted } from "../finding.ts";
import { openImages } from "../images/open.ts";
import { findPortHolder } from "../port-owner.ts";
import { judgeRotation } from "../rotation.ts";
import { listServices } from "../run-file.ts";
import { builtinContract } from "../soap/wsdl.ts";
import { type Camera, listRegistered, type Registered, type Rotation } from "../store/registry.ts";
import { verifySqlite } from "../store/sqlite-verify.ts";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";

/** Of so many cameras the waiting readings are looked at for the clock, and so many of each. */
const DRIFT_CAMERAS = 100;
const DRIFT_READINGS = 20;
/** And what was counted of its hours in a day. */
const DRIFT_MS_BACK = 86_400_000;

/** Who has our ports. Asked before the store is opened: root sees everybody's, the service's user only its own. */
export async function probePorts(config: Config): Promise<readonly PortProbe[]> {
  const ports = [
    { setting: "TRANSIT_PORT", task: "ingest", port: config.transit.port },
    { setting: "API_PORT", task: "api", port: config.api.port },
    { setting: "LECTORVISION_PORT", task: "api", port: config.lectorVision.port ?? 0 },
  ].filter(({ port }) => port !== 0);
  return Promise.all(ports.map(async (one) => ({ ...one, ...(await findPortHolder(one.port)) })));
}

/** Everything that is looked at, in the order in which it is told. `pages` false: not every page of the database, which takes the process as long as it takes, nor the machine's packages. */
export async function listChecks(
  config: Config,
  opened: { store: Store } | { failure: unknown },
  ports: readonly PortProbe[],
  clock: Clock,
  options: { pages?: boolean } = {},
): Promise<readonly Check[]> {
  const timeAnswer = lazily((signal: AbortSignal) =>
    config.ntpServer === null ? Promise.resolve(null) : askTimeServer(config.ntpServer, clock, signal),
  );
  const machine = machineChecks(config, ports, clock, timeAnswer, options.pages ?? true);
  if ("failure" in opened) {
    return [
      ...machine,
      check("store", () => {
        throw opened.failure;
      }),
    ];
  }
  const { store } = opened;
  const registered = await listRegistered(store);
  const rotations = await store.listRotations();
  return [
    ...machine,
    ...storeChecks(store, options.pages ?? true),
    ...endpointChecks(registered, config, clock, timeAnswer),
    ...certificateChecks(registered, rotations, clock),
    check("registrations", async () => judgeRegistrations(registered, config.mossos.endpointUrl)),
    check("cameras", async () => judgeSilence(registered.cameras, clock.now())),
    check("clocks of cameras", () => findDrift(registered.cameras, store, clock.now())),
  ];
}

type AskTime = (signal: AbortSignal) => Promise<TimeAnswer | null>;

function machineChecks(
  config: Config,
  ports: readonly PortProbe[],
  clock: Clock,
  timeAnswer: AskTime,
  slow: boolean,
): readonly Check[] {
  const { ntpServer } = config;
  const services = lazily(() => listServices(config.dataDir, clock.now()));
  const folders = [
    ["DATA_DIR", config.dataDir],
    ["IMAGES_BASE_DIR", config.imagesDir],
    ["CERTS_DIR", config.certsDir],
    ["quarantine", config.quarantineDir],
  ] as const;
  return [
    check("version", async () => [good("version", `tattile ${version}`)]),
    check("services", async () => judgeServices(await services(), version)),
    check("systemd", async () => judgeUnits(await readUnits())),
    ...(slow ? [check("updates", async (signal) => judgeUpdates(await probeUpdates(signal)))] : []),
    ...ports.map((port) =>
      check(`port ${port.port}`, async () => {
        const service = (await services()).find(({ task, state }) => task === port.task && state !== "dead");
        return [judgePort(port, service?.pid ?? null)];
      }),
    ),
    ...folders.map(([name, path]) => check(`folder ${name}`, async () => [judgeFolder(await probeFolder(name, path))])),
    ...(config.imagesUrl === null ? [] : [check("pictures, S3", () => probeBucket(config))]),
    check("disk", async () => {
      const disks = await probeDisks([config.imagesDir, config.dataDir, config.quarantineDir], clock);
      return disks.flatMap((disk) => judgeDisk(disk, config.diskMinFreeBytes));
    }),
    ...(ntpServer === null
      ? []
      : [check("clock, NTP", async (signal) => [judgeTimeServer(ntpServer, await timeAnswer(signal))])]),
  ];
}

/** A small object there and back: address, keys and rights in one. It throws with its own cure. */
async function probeBucket(config: Config) {
  const images = openImages(config);
  const path = `doctor/${process.pid}.jpg`;
  try {
    await images.replace(path, new Uint8Array([0xff, 0xd8, 0xff, 0xd9]));
    await images.flush();
    const read = await images.read(path);
    await images.erase([path]);
    if (read?.length === 4)
      return [good("pictures, S3", `an object was written, read and erased (${config.imagesUrl?.bucket})`)];
    return [bad("pictures, S3", "what was written did not read back", "look at the bucket's rules and rights")];
  } finally {
    images.close();
  }
}

function storeChecks(store: Store, pages: boolean): readonly Check[] {
  return [
    check("store", async () => {
      const { kind, version: engine, schemaVersion, location } = store.info();
      await store.check();
      const about = `${kind} ${engine}, schema ${schemaVersion}, takes and gives back`;
      if (kind !== "sqlite") return [good("store", about)];
      if (!pages) return [good("store", `${about}; its pages are looked at by tattile doctor on the machine`)];
      const problems = verifySqlite(location);
      if (problems.length === 0) return [good("store", `${about}; every page is sound`)];
      const cure = "stop tattile, move the file away and restore a backup; the cameras keep what is not received yet";
      return [bad("store", `${location} is damaged: ${problems.join("; ")}`, cure)];
    }),
  ];
}

function endpointChecks(
  { cameras, municipalities, endpoints }: Registered,
  config: Config,
  clock: Clock,
  timeAnswer: AskTime,
): readonly Check[] {
  const used = new Set(
    cameras
      .filter(({ active }) => active)
      .map((c) => c.endpointId ?? municipalities.find(({ id }) => id === c.municipalityId)?.endpointId ?? 0),
  );
  const { mossos } = config;
  const targets = endpoints.map(({ id, name, url, caPath, wsdl }) => ({
    ...{ id, name, url, caPath, wsdl: wsdl ?? mossos.wsdl },
    set: `tattile endpoint set ${quoted(name)} --wsdl`,
  }));
  const fallback =
    mossos.endpointUrl === null
      ? []
      : [
          {
            id: 0,
            name: null,
            url: mossos.endpointUrl,
            caPath: null,
            wsdl: mossos.wsdl,
            set: "set MOSSOS_WSDL_URL to",
          },
        ];
  return [...targets, ...fallback].flatMap(({ id, name, url, caPath, wsdl, set }) => {
    const label = `endpoint ${name ?? "(default)"}`;
    if (!used.has(id) && cameras.length > 0)
      return [check(label, async () => [good(label, "no camera sends to it: not looked at")])];
    const source = wsdl ?? wsdlBeside(url);
    return [
      check(label, async (signal) => {
        const [probe, answer] = await Promise.all([probeEndpoint({ url, caPath }, clock, signal), timeAnswer(signal)]);
        const timeServerMs = answer !== null && "offsetMs" in answer ? answer.offsetMs : null;
        const findings = judgeEndpoint(name, probe, clock.now(), timeServerMs);
        // Without a way to it there is no use in asking it for its WSDL too; a file can be read all the same.
        if (probe.http?.failure !== null && (wsdl === null || /^https?:/i.test(wsdl))) return findings;
        const read = await probeWsdl(source, caPath, signal);
        const setWsdl = `${set} ${wsdl === null ? source : "URL"}`;
        return [...findings, judgeWsdl(`${label}, WSDL`, source, wsdl !== null, read, builtinContract, setWsdl)];
      }),
    ];
  });
}

function certificateChecks(
  { municipalities, certificates }: Registered,
  rotations: readonly Rotation[],
  clock: Clock,
): readonly Check[] {
  return municipalities.flatMap((municipality) => {
    const certificate = certificates.find(({ id }) => id === municipality.certificateId);
    const rotation = rotations.find(({ municipalityId }) => municipalityId === municipality.id);
    const next = certificates.find(({ id }) => id === rotation?.nextId);
    return [
      ...(certificate === undefined
        ? []
        : [
            check(`certificate ${certificate.name}`, async () =>
              checkCertificate(certificate, municipality.name, await readCertificateFiles(certificate), clock.now()),
            ),
          ]),
      ...(rotation === undefined || next === undefined
        ? []
        : [
            check(`next certificate of ${municipality.name}`, async () => {
              const at = firstValidMoment(next, clock.now());
              const found = await checkCertificate(next, municipality.name, await readCertificateFiles(next), at);
              return judgeRotation(rotation, municipality.name, next, found, clock.now());
            }),
          ]),
    ];
  });
}

async function findDrift(cameras: readonly Camera[], store: Store, now: Date) {
  const hours = await store.listCameraHours(new Date(now.getTime() - DRIFT_MS_BACK));
  const drifts = [];
  for (const { serial } of cameras.filter(({ active }) => active).slice(0, DRIFT_CAMERAS)) {
    const waiting = await store.listMessages({ cameraSerial: serial }, DRIFT_READINGS);
    const own = hours.filter(({ cameraSerial }) => cameraSerial === serial);
    drifts.push({ serial, driftMs: estimateDrift(waiting) ?? estimateHourlyDrift(own) });
  }
  return judgeDrift(drifts);
}

function check(name: string, run: Check["run"]): Check {
  return { name, run };
}

/** What several checks need is asked once. */
function lazily<A extends unknown[], T>(ask: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
  let asked: Promise<T> | undefined;
  return (...given) => (asked ??= ask(...given));
}
