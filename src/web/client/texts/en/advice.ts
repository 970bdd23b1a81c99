import type { Facts, Texts } from "../texts.ts";
import { reason } from "./reasons.ts";
import { days, messages, n, readings } from "./words.ts";

const task = (facts: Facts): string =>
  ({ ingest: "The intake of readings", sender: "The sender", api: "The dashboard's service" })[String(facts["task"])] ??
  String(facts["task"]);
const harm = (facts: Facts): string =>
  facts["task"] === "ingest"
    ? "no reading is taken in; the cameras keep theirs"
    : "nothing is delivered; readings wait";

export const advice: Pick<Texts, "cure" | "attention"> = {
  cure: {
    retry: "Send again",
    certificate: "Import certificate",
    register: "Register",
    look: "Look at them",
    command: "On the machine:",
    tryNow: "Try now",
    trying: "One message is being tried now. If it is accepted the rest follows.",
    notPaused: "It is not paused any more.",
    address: "Change the address",
    retried: (count) =>
      count === 0 ? "There was nothing to send again." : `${readings(count)} will be sent again now.`,
  },
  attention: {
    "service-missing": (f) => ({ text: `${task(f)} is not running: ${harm(f)}.`, mend: "Start it on the machine." }),
    "service-dead": (f) => ({ text: `${task(f)} died: ${harm(f)}.`, mend: "Start it again and look at its log." }),
    "service-stalled": (f, span) => ({
      text: `${task(f)} does not answer for ${span(Number(f["silentMs"]))}.`,
      mend: "Look at its log.",
    }),
    "sender-off": () => ({
      text: "The sender is switched off: readings wait.",
      mend: "Set SENDER_ENABLED=true and restart the service.",
    }),
    "balance-off": (f) => ({
      text: `Balance: ${readings(Math.abs(Number(f["difference"])))} ${Number(f["difference"]) > 0 ? "too few" : "too many"}.`,
      mend: "Keep the log and report it.",
    }),
    "disk-full": (f, _span, size) => ({
      text: `The disk is full (${size(Number(f["freeBytes"]))} free): the cameras must keep their readings.`,
      mend: `Make room on the disk of ${String(f["folder"])}.`,
    }),
    "disk-low": (f, _span, size) => ({
      text: `The disk is nearly full (${size(Number(f["freeBytes"]))} free).`,
      mend: `Make room on the disk of ${String(f["folder"])}.`,
    }),
    "clock-off": (f, span) => ({
      text: `This machine's clock is ${span(Math.abs(Number(f["offsetMs"])))} ${Number(f["offsetMs"]) > 0 ? "behind" : "ahead of"} that of the police. They refuse what is 5 minutes old or 1 minute in the future.`,
      mend: "Let the machine set its clock by itself.",
    }),
    "endpoint-paused": (f) => ({
      text: `${f["endpoint"]} is paused: ${pauseText(f)}`,
      mend:
        f["kind"] === "misconfigured"
          ? "Check the address of the service."
          : "Check the network of this machine. It is tried again by itself, and no reading is lost.",
    }),
    "route-paused": (f) => ({
      text: `${f["endpoint"]} does not take one of our certificates: ${f["detail"]}.`,
      mend: "Import the certificate that is valid now.",
    }),
    "certificate-over": (f) => ({
      text: `The certificate of ${f["municipality"]} has run out.`,
      mend: "Import the new one.",
    }),
    "certificate-ends": (f) => ({
      text: `The certificate of ${f["municipality"]} runs out in ${days(Number(f["daysLeft"]))}.`,
      mend: "Ask for the new one and import it.",
    }),
    "certificate-missing": (f) => ({
      text: `${f["municipality"]} has cameras but no certificate: its readings cannot be signed.`,
      mend: "Import its certificate.",
    }),
    "certificate-refused": (f) => ({
      text: `The next certificate of ${f["municipality"]} was refused; the earlier one signs again: ${f["detail"]}.`,
      mend: "Ask its issuer, and stage another one.",
    }),
    dead: (f) => {
      const { text, mend } = reason(String(f["reason"]));
      return { text: `${readings(Number(f["count"]))} could not be delivered: ${text}`, mend };
    },
    "dead-others": (f) => ({
      text: `Further readings could not be delivered, for ${n(Number(f["reasons"]))} other ${f["reasons"] === 1 ? "reason" : "reasons"}.`,
      mend: "Look at them in the queue.",
    }),
    "waiting-old": (f, span) => ({
      text: `The oldest waiting reading came ${span(Number(f["ageMs"]))} ago.`,
      mend: "See above what holds it up; without a reason there, look at it in the queue.",
    }),
    "camera-silent": (f, _span, _size, some) => ({
      text: `No reading for a day from ${some(f["serials"])}.`,
      mend: "Check the camera, its power and its network.",
    }),
    "camera-never": (f, _span, _size, some) => ({
      text: `Never a reading from ${some(f["serials"])}.`,
      mend: "Check in the camera the address and port of this machine, and here its serial.",
    }),
    "camera-none": () => ({ text: "No camera is registered.", mend: "Register the first one." }),
    "held-unregistered": (f, _span, _size, some) => ({
      text: `Readings are held of cameras that are not registered: ${some(f["serials"])}.`,
      mend: "Register them: what is held is then delivered.",
    }),
    "held-malformed": (f) => ({
      text: `${messages(Number(f["messages"]))} could not be understood.`,
      mend: "Check which fields the camera sends.",
    }),
    "spool-waiting": (f) => ({
      text: `${readings(Number(f["readings"]))} ${f["readings"] === 1 ? "waits" : "wait"} in the spool of this machine: the database or the store of the pictures cannot be reached.`,
      mend: "They move by themselves once it answers again, and nothing is lost. Look at PostgreSQL and at the bucket.",
    }),
    "spool-held-back": (f) => ({
      text: `${readings(Number(f["readings"]))} in the spool of this machine ${f["readings"] === 1 ? "is" : "are"} of cameras that are not registered any more, or switched off.`,
      mend: "Register the camera or switch it on, and they are delivered; else they are erased when their time is over.",
    }),
  },
};

function pauseText(facts: Facts): string {
  const kind =
    { unreachable: "it is not reached", unanswered: "it does not answer", misconfigured: "it refuses us" }[
      String(facts["kind"])
    ] ?? "for an unknown reason";
  return `${kind} (${facts["detail"]}).`;
}
