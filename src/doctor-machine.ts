import { bad, type Finding, good, warning } from "./finding.ts";
import { formatBytes } from "./format.ts";

/** What was found of a folder of ours. `failure`: why nothing can be written there; null: it can. */
export interface FolderProbe {
  name: string;
  path: string;
  exists: boolean;
  failure: string | null;
}

export function judgeFolder({ name, path, exists, failure }: FolderProbe): Finding {
  const check = `folder ${name}`;
  if (failure === "ENOSPC" || failure === "EDQUOT")
    return bad(check, `full (${path})`, `free some space on the disk of ${path}`);
  if (failure !== null) {
    const cure = `chown -R tattile: ${path}; under systemd a folder elsewhere needs ReadWritePaths=${path} too`;
    return bad(check, `cannot be written: ${failure} (${path})`, cure);
  }
  return good(check, exists ? `can be written (${path})` : `not there yet, will be made (${path})`);
}

/** One file system below our folders. */
export interface DiskProbe {
  /** One of the folders on it. */
  path: string;
  freeBytes: number;
  totalBytes: number;
  /** Files that can still be made; null where the file system does not count them. */
  freeFiles: number | null;
  /** How long it took to make 4 KiB durable, several times. */
  syncMs: readonly number[];
}

/** Pictures are two files a reading. */
const FEW_FILES = 20_000;
/** A group of readings waits that long; at this the cameras feel it. */
const SLOW_SYNC_MS = 100;

export function judgeDisk(disk: DiskProbe, minFreeBytes: number): readonly Finding[] {
  const { path, freeBytes, totalBytes, freeFiles, syncMs } = disk;
  const [check, cure] = [`disk of ${path}`, `free some space on it (df -h ${path}), or lower DISK_MIN_FREE_BYTES`];
  const text = `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`;
  const findings =
    freeBytes < minFreeBytes
      ? [bad(check, `full, ${text}: the cameras must keep their readings`, cure)]
      : freeBytes < 2 * minFreeBytes
        ? [warning(check, `nearly full, ${text}`, cure)]
        : [good(check, text)];
  if (freeFiles !== null && freeFiles < FEW_FILES) {
    findings.push(warning(check, `room for only ${freeFiles} more files`, `remove small files on it (df -i ${path})`));
  }
  const middle = syncMs.toSorted((a, b) => a - b)[Math.floor(syncMs.length / 2)];
  if (middle !== undefined) {
    const took = `4 KiB are durable after ${middle < 10 ? middle.toFixed(1) : Math.round(middle)} ms`;
    const slow = "look for another program that writes much (iotop), and at the disk's health (smartctl -a)";
    findings.push(middle >= SLOW_SYNC_MS ? warning(`${check}, speed`, took, slow) : good(`${check}, speed`, took));
  }
  return findings;
}

/** A port of ours. `holder`: who listens, as far as it can be told; `taken`: whether anybody does. */
export interface PortProbe {
  setting: string;
  task: string;
  port: number;
  taken: boolean;
  holder: { name: string; pid: number } | null;
}

/** @param servicePid process of the task that should listen there; null: it does not run */
export function judgePort({ setting, task, port, taken, holder }: PortProbe, servicePid: number | null): Finding {
  const check = `port ${port}`;
  const who = holder === null ? "a process of another user" : `${holder.name} (pid ${holder.pid})`;
  if (servicePid === null) {
    return taken
      ? bad(check, `held by ${who}: ${task} cannot start`, `stop that program, or set ${setting} to another port`)
      : good(check, `free for ${task}`);
  }
  if (!taken) return bad(check, `${task} runs, but nobody listens there`, "systemctl restart tattile");
  if (holder !== null && holder.pid !== servicePid) {
    return bad(check, `held by ${who}, not by ${task}`, `stop that program, or set ${setting} to another port`);
  }
  return good(check, `${task} listens there`);
}

/** Tasks that have a unit of their own where one process does not do all. */
export const UNIT_TASKS = ["ingest", "sender", "api"] as const;
/** Every unit that install.sh may have made. */
export const UNITS = ["tattile", ...UNIT_TASKS.map((task) => `tattile-${task}`)].map((name) => `${name}.service`);

/** What systemd knows of one unit, by its properties; see systemctl show. */
export type UnitFacts = Readonly<Record<string, string>>;

/** As install.sh's units have them; a drop-in or an older unit may not. */
const HARDENING: Readonly<Record<string, string>> = {
  NoNewPrivileges: "yes",
  ProtectSystem: "strict",
  ProtectHome: "yes",
  PrivateTmp: "yes",
  PrivateDevices: "yes",
  ProtectKernelModules: "yes",
  ProtectKernelTunables: "yes",
  ProtectControlGroups: "yes",
  LockPersonality: "yes",
  RestrictSUIDSGID: "yes",
};
export const UNIT_PROPERTIES = [
  ...["Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "NeedDaemonReload", "User"],
  ...Object.keys(HARDENING),
];
const MANY_RESTARTS = 5;

/** `systemctl show`'s output for several units: `Name=value` lines, an empty line between two units. */
export function parseUnits(text: string): readonly UnitFacts[] {
  return text
    .split(/\n\s*\n/)
    .map((block) =>
      Object.fromEntries(
        block
          .split("\n")
          .filter((line) => line.includes("="))
          .map(splitProperty),
      ),
    )
    .filter((unit) => unit["Id"] !== undefined);
}

function splitProperty(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** @param units null: there is no systemd to ask */
export function judgeUnits(units: readonly UnitFacts[] | null): readonly Finding[] {
  if (units === null) return [good("systemd", "not on this machine: what starts tattile again is yours to see to")];
  const loaded = units.filter((unit) => unit["LoadState"] === "loaded");
  if (loaded.length === 0) {
    return [
      warning("systemd", "tattile is not installed as a service: nothing starts it again", "sudo install/install.sh"),
    ];
  }
  // One process or three: what is neither enabled nor active is the way not taken.
  const used = loaded.filter((unit) => unit["ActiveState"] !== "inactive" || unit["UnitFileState"] === "enabled");
  if (used.length === 0)
    return [bad("systemd", "no unit of tattile is enabled or active", "systemctl enable --now tattile")];
  return used.flatMap(judgeUnit);
}

function judgeUnit(unit: UnitFacts): readonly Finding[] {
  const id = (unit["Id"] ?? "").replace(/\.service$/, "");
  const check = `unit ${id}`;
  const state = unit["ActiveState"] ?? "unknown";
  const findings: Finding[] = [];
  if (state === "failed") findings.push(bad(check, "failed", `journalctl -u ${id} -n 50; systemctl restart ${id}`));
  else if (state !== "active")
    findings.push(bad(check, `${state} (${unit["SubState"] ?? ""})`, `systemctl start ${id}`));
  if (unit["UnitFileState"] === "disabled") {
    findings.push(warning(check, "not started when the machine starts", `systemctl enable ${id}`));
  }
  const restarts = Number(unit["NRestarts"] ?? 0);
  if (restarts > MANY_RESTARTS)
    findings.push(warning(check, `was restarted ${restarts} times`, `journalctl -u ${id} -p err`));
  if (unit["NeedDaemonReload"] === "yes") {
    findings.push(
      warning(check, "its file was changed since it was read", `systemctl daemon-reload; systemctl restart ${id}`),
    );
  }
  const lacking = Object.entries(HARDENING).filter(([name, value]) => unit[name] !== undefined && unit[name] !== value);
  const open = [
    ...lacking.map(([name, value]) => `${name}=${value}`),
    ...(isRoot(unit) ? ["a user other than root"] : []),
  ];
  if (open.length > 0) {
    const cure = `sudo install/install.sh writes the unit anew; look for drop-ins: systemctl cat ${id}`;
    findings.push(warning(`${check}, hardening`, `lacks ${open.join(", ")}`, cure));
  }
  return findings.length > 0 ? findings : [good(check, "active, started with the machine, hardened")];
}

function isRoot(unit: UnitFacts): boolean {
  return unit["User"] === "" || unit["User"] === "root";
}

/** A task of the service, as its run file tells. */
export interface ServiceProbe {
  task: string;
  state: "running" | "stalled" | "dead";
  pid: number;
  version: string;
}

export function judgeServices(services: readonly ServiceProbe[], ownVersion: string): readonly Finding[] {
  const findings: Finding[] = [];
  for (const task of UNIT_TASKS) {
    const service = services.find((s) => s.task === task);
    const check = `service ${task}`;
    const judge = task === "api" ? warning : bad;
    const restart = "systemctl restart tattile; journalctl -u tattile -n 50";
    if (service === undefined) findings.push(judge(check, "not running", "systemctl start tattile"));
    else if (service.state === "dead") findings.push(judge(check, `died (process ${service.pid} is gone)`, restart));
    else if (service.state === "stalled")
      findings.push(judge(check, `process ${service.pid} does not answer`, restart));
    else if (service.version !== ownVersion) {
      const text = `runs version ${service.version}, installed is ${ownVersion}`;
      findings.push(warning(check, text, "systemctl restart tattile"));
    } else findings.push(good(check, `runs (process ${service.pid}, version ${service.version})`));
  }
  return findings;
}
