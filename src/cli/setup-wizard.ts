import { type Answer, BACK, inOrder, keep } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { ownAddresses } from "./setup-listen.ts";
import { type ListedCamera, type ListedCertificate, NEW, pickEndpoint, pickMunicipality } from "./setup-pick.ts";
import { addCamera, addEndpoint, addMunicipality, importCertificate } from "./setup-register.ts";
import { saySaved } from "./setup-said.ts";
import type { OwnService } from "./setup-service.ts";
import { waitFor } from "./setup-wait.ts";

type StepResult = Promise<Answer<"next" | "skip">>;
const STEPS = 7;

/** From nothing to a camera that was heard and a reading that the police took. What a step did stays, also when one goes back. */
export async function runWizard(kit: Kit, service: OwnService, transitPort: number): Promise<void> {
  const { wizard } = kit.t;
  const startedAt = new Date();
  let [endpoint, municipality, serial] = ["", "", ""];
  let delivered = false;
  const step = (number: number, name: string, run: () => StepResult) => async (): StepResult => {
    kit.say("");
    kit.say(kit.out.paint("bold", wizard.step(number, STEPS, name)));
    return run();
  };
  kit.say(wizard.welcome);
  await inOrder([
    step(1, wizard.service, () => service.offer(kit)),
    step(2, wizard.endpoint, async () => keep(await chooseEndpoint(kit), (name) => (endpoint = name))),
    step(3, wizard.municipality, async () =>
      keep(await chooseMunicipality(kit, endpoint), (name) => (municipality = name)),
    ),
    step(4, wizard.certificate, () => settleCertificate(kit, municipality)),
    step(5, wizard.camera, async () => keep(await chooseCamera(kit, municipality), (picked) => (serial = picked))),
    step(6, wizard.hear, async () => {
      kit.say(wizard.pointCamera(ownAddresses().join(" / "), transitPort));
      return hear(kit, serial, startedAt);
    }),
    step(7, wizard.delivery, async () => {
      const said = await awaitDelivery(kit, serial, startedAt);
      delivered = said === "next";
      return said;
    }),
  ]);
  kit.say("");
  kit.say(delivered ? kit.out.paint("good", wizard.done) : wizard.unfinished);
}

/** Tries until something was chosen or added, or the operator wants back. */
async function until<T>(pick: () => Promise<Answer<T | typeof NEW>>, add: () => Promise<T | null>): Promise<Answer<T>> {
  for (;;) {
    const picked = await pick();
    if (picked !== NEW) return picked;
    const added = await add();
    if (added !== null) return added;
  }
}

async function chooseEndpoint(kit: Kit): Promise<Answer<string>> {
  return until(
    async () => {
      const picked = await pickEndpoint(kit, kit.t.ask.newOne);
      return picked === BACK || picked === NEW ? picked : picked.name;
    },
    () => addEndpoint(kit),
  );
}

async function chooseMunicipality(kit: Kit, endpoint: string): Promise<Answer<string>> {
  return until(
    async () => {
      const picked = await pickMunicipality(kit, true);
      if (picked === BACK || picked === NEW) return picked;
      const isThere = picked.endpoint === endpoint;
      return isThere || (await kit.run(["municipality", "set", picked.name, "--endpoint", endpoint], saySaved(kit.t)))
        ? picked.name
        : BACK;
    },
    () => addMunicipality(kit, endpoint),
  );
}

async function settleCertificate(kit: Kit, municipality: string): StepResult {
  const { wizard, yes, skip, ask } = kit.t;
  for (;;) {
    const all = await kit.query<ListedCertificate[]>(["cert", "list"]);
    const present = all.find((c) => c.inUse && c.municipality === municipality);
    const picked = await kit.choose<"keep" | "import" | "skip">(
      present === undefined ? ask.whichCertificate : wizard.hasCertificate(present.daysLeft ?? 0),
      [
        ...(present === undefined ? [] : [{ label: yes, value: "keep" as const }]),
        { label: kit.t.add.certificate, value: "import" },
        { label: skip, value: "skip" },
      ],
    );
    if (picked === BACK) return BACK;
    if (picked !== "import" || (await importCertificate(kit, municipality))) return "next";
  }
}

async function chooseCamera(kit: Kit, municipality: string): Promise<Answer<string>> {
  const cameras = await kit.query<ListedCamera[]>(["camera", "list"]);
  return until(
    async () => {
      if (cameras.length === 0) {
        const added = await addCamera(kit, municipality);
        return added ?? BACK;
      }
      return kit.choose<string | typeof NEW>(kit.t.ask.whichCamera, [
        ...cameras.map((c) => ({ label: c.serial, hint: c.municipality, value: c.serial })),
        { label: kit.t.ask.newOne, value: NEW },
      ]);
    },
    () => addCamera(kit, municipality),
  );
}

async function hear(kit: Kit, serial: string, startedAt: Date): StepResult {
  const { wizard, skip } = kit.t;
  for (;;) {
    const heard = await waitFor(
      kit,
      () => wizard.waitingToHear(serial),
      async () => (isSince((await find(kit, serial)).lastReadingAt, startedAt) ? true : null),
    );
    if (heard !== BACK) {
      kit.say(kit.out.paint("good", wizard.heard(serial)));
      return "next";
    }
    const picked = await kit.choose<"wait" | "skip">(wizard.notYet, [
      { label: wizard.goOnWaiting, value: "wait" },
      { label: skip, value: "skip" },
    ]);
    if (picked === BACK) return BACK;
    if (picked === "skip") return "next";
  }
}

async function awaitDelivery(kit: Kit, serial: string, startedAt: Date): StepResult {
  const { wizard, skip } = kit.t;
  let state = wizard.nothingSent;
  for (;;) {
    const taken = await waitFor(
      kit,
      () => wizard.waitingToDeliver(state),
      async () => {
        if (isSince((await find(kit, serial)).lastSentAt, startedAt)) return true;
        const [first] = await kit.query<{ status: string; reason: string | null; lastError: string | null }[]>([
          ...["queue", "list", "--camera", serial, "--limit", "1"],
        ]);
        if (first !== undefined) {
          state = [first.status, first.reason ?? first.lastError].filter(Boolean).join(" ");
        }
        return null;
      },
    );
    if (taken !== BACK) {
      kit.say(kit.out.paint("good", wizard.delivered));
      return "next";
    }
    kit.say(`${wizard.notDelivered} ${state}`);
    const picked = await kit.choose<"wait" | "skip" | "doctor" | "by hand">(wizard.notYet, [
      { label: wizard.goOnWaiting, value: "wait" },
      { label: wizard.doctor, value: "doctor" },
      { label: wizard.byHand, value: "by hand" },
      { label: skip, value: "skip" },
    ]);
    if (picked === BACK || picked === "skip") return picked;
    if (picked === "doctor") await kit.show(["doctor"]);
    if (picked === "by hand" && (await deliverByHand(kit, serial))) return "next";
  }
}

/** One reading with a plate that the operator answers for; whoever drives by is not asked. */
async function deliverByHand(kit: Kit, serial: string): Promise<boolean> {
  const plate = await kit.ask(kit.t.ask.plate);
  if (plate === BACK) return false;
  const taken = await kit.run(["send", "--camera", serial, "--plate-stdin", "--yes"], null, plate);
  if (taken) kit.say(kit.out.paint("good", kit.t.wizard.deliveredByHand));
  return taken;
}

function find(kit: Kit, serial: string): Promise<ListedCamera> {
  return kit.query<ListedCamera>(["camera", "show", serial]);
}

function isSince(at: string | null, startedAt: Date): boolean {
  return at !== null && new Date(at) >= startedAt;
}
