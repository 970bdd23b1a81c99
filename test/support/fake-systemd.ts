import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** What `systemctl show` prints of these units. */
export function unitsText(states: Record<string, readonly [load: string, active: string, file: string]>): string {
  return Object.entries(states)
    .map(
      ([id, [load, active, file]]) =>
        `Id=${id}.service\nLoadState=${load}\nActiveState=${active}\nUnitFileState=${file}\n`,
    )
    .join("\n");
}

/**
 * Programs in the place of systemd's, which a test machine does not run: systemctl says `units`, and both note what they
 * were asked for. @returns the PATH to find them by
 */
export async function installFakeSystemd(folder: string, units: string, code = 0): Promise<{ PATH: string }> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(folder, "units"), units);
  const note = `printf '%s ' "$(basename "$0")" "$@" >> ${folder}/asked; echo >> ${folder}/asked`;
  await writeFile(
    join(bin, "systemctl"),
    `#!/bin/sh\nif [ "$1" = show ]; then cat ${folder}/units; exit 0; fi\n${note}\nexit ${code}\n`,
  );
  await writeFile(join(bin, "journalctl"), `#!/bin/sh\n${note}\necho "a line of the journal"\n`);
  for (const name of ["systemctl", "journalctl"]) await chmod(join(bin, name), 0o755);
  return { PATH: [bin, process.env["PATH"]].join(delimiter) };
}

/** What they were asked for, one call a line. */
export async function askedOfSystemd(folder: string): Promise<string> {
  return (await readFile(join(folder, "asked"), "utf8")).trim().replace(/ +$/gm, "");
}
