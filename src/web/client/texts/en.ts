import type { Facts, Texts } from "./texts.ts";

const n = (count: number): string => count.toLocaleString("en");
const readings = (count: number): string => `${n(count)} ${count === 1 ? "reading" : "readings"}`;
const messages = (count: number): string => `${n(count)} ${count === 1 ? "message" : "messages"}`;
const days = (count: number): string => `${n(count)} ${count === 1 ? "day" : "days"}`;
const task = (facts: Facts): string =>
  ({ ingest: "The intake of readings", sender: "The sender", api: "The dashboard's service" })[String(facts["task"])] ??
  String(facts["task"]);
const harm = (facts: Facts): string =>
  facts["task"] === "ingest"
    ? "no reading is taken in; the cameras keep theirs"
    : "nothing is delivered; readings wait";

/** English. */
export const en: Texts = {
  tag: "en-GB",
  name: "English",
  others: (count) => `and ${n(count)} more`,
  app: {
    title: "Readings for the police",
    skip: "Skip to the content",
    nav: "Pages",
    overview: "Overview",
    messages: "Queue",
    held: "Quarantine",
    certificates: "Certificates",
    language: "Language",
    theme: "Colours",
    themes: { auto: "As the device", light: "Light", dark: "Dark" },
    logOut: "Log out",
    roles: { viewer: "viewer", operator: "operator", admin: "administrator" },
    loading: "Loading…",
    lost: "No connection: what you see may be old. It is tried again.",
    cancel: "Cancel",
    copy: "Copy",
    copied: "Copied",
    never: "never",
    unknown: "unknown",
    storeAway: (spooled) =>
      `The database does not answer: nothing is delivered until it does. Cameras notice nothing${spooled === null ? "" : `; ${readings(spooled)} ${spooled === 1 ? "waits" : "wait"} in the spool of this machine`}. What stands below may be old.`,
    ago: (age) => `${age} ago`,
    notFound: "There is no such page.",
    needsRole: (role) => `This needs the role ${role}.`,
    more: "There are more; only the first are shown.",
  },
  login: {
    title: "Log in",
    token: "Token",
    help: "Somebody with access to the machine makes it:",
    submit: "Log in",
    wrong: "This token is not known, was revoked, or its time is over.",
    tooMany: "Too many failed tries from this address. Wait a quarter of an hour.",
  },
  firstRun: {
    title: "Welcome to tattile",
    text: "Nobody can log in yet. Make the first token on the machine, by console or SSH:",
    after: "The token is shown once. Keep it like a password. This page notices by itself and asks for it.",
    roles:
      "Roles: viewer sees how everything is, but no plates and no pictures; operator sends again and discards; admin does everything.",
  },
  verdict: {
    fine: "Everything is delivered",
    moving: (count) => `${readings(count)} on the way`,
    attention: "Something needs you",
    dead: (count) => `${readings(count)} could not be delivered`,
    down: "Readings do not get through",
    waiting: (count) => `${readings(count)} wait to be delivered`,
    last: (age) => `Last delivery ${age} ago`,
    noneYet: "Nothing was delivered yet",
    oldest: (age) => `the oldest waits for ${age}`,
    todo: "What to do",
    allGood: "Nothing to do.",
  },
  balance: {
    title: "Balance",
    help: "Every reading that was ever received is in exactly one of these places.",
    received: "Received",
    delivered: "Delivered and erased",
    waiting: "Waiting",
    dead: "Given up",
    expired: "Expired",
    discarded: "Discarded by hand",
    difference: "Difference",
    adds: "It adds up: nothing is missing.",
    off: (count) => `It does not add up: ${n(count)}. Report this with the log.`,
  },
  rates: {
    title: "Readings per minute",
    received: "In",
    delivered: "Out (delivered)",
    span: "Time span",
    spans: { hour: "Hour", day: "Day", week: "Week" },
    summary: (received, delivered) => `In this time ${n(received)} came in and ${n(delivered)} were delivered.`,
    table: "As a table",
    time: "Time",
  },
  queue: {
    title: "Queue",
    state: "State",
    count: "Readings",
    oldest: "Oldest",
    states: {
      PENDING: "Waiting",
      SENDING: "Being sent",
      FAILED: "To be tried again",
      DEAD: "Given up",
      SUCCESS: "Delivered",
    },
    one: {
      PENDING: "waits",
      SENDING: "is being sent",
      FAILED: "will be tried again",
      DEAD: "given up",
      SUCCESS: "delivered",
    },
    empty: "Nothing waits.",
  },
  cameras: {
    title: "Cameras",
    serial: "Camera",
    lastReading: "Last reading",
    rate: "This / last hour",
    fewer: "Show fewer",
    all: (count) => `Show all ${n(count)}`,
    usual: (count) => `usually ${n(count)}`,
    lastSent: "Last sent",
    clock: "Clock",
    clockFine: "right",
    clockFast: (span) => `${span} fast`,
    clockSlow: (span) => `${span} slow`,
    off: "switched off",
    none: "No camera is registered.",
  },
  endpoints: {
    title: "Police services",
    name: "Service",
    state: "State",
    open: "works",
    idle: "not used yet",
    paused: "paused",
    kinds: {
      unreachable: "not reached",
      unanswered: "no answer",
      misconfigured: "refuses our certificate, clock or address",
    },
    answers: "Answers in",
    lastAccepted: "Last accepted",
    default: "default",
    none: "No police service is set up.",
  },
  certificates: {
    title: "Certificates",
    municipality: "Municipality",
    subject: "Issued to",
    ends: "Valid until",
    left: "Left",
    days,
    over: "run out",
    none: "No certificate is in use.",
    import: "Import a certificate",
    drop: "Drop the .pfx or .p12 file here",
    choose: "Choose a file",
    chosen: (name) => `File: ${name}`,
    password: "Password of the file",
    forMunicipality: "For the municipality",
    submit: "Import",
    done: (municipality) => `The certificate of ${municipality} is in use now. What waited for it is being sent.`,
    staged: (municipality) =>
      `The certificate of ${municipality} is ready: it will be used by itself once it is valid.`,
    notPfx: "This is no PFX file: its name ends in .pfx or .p12.",
    tooLarge: "This file is larger than 1 MB: it is no PFX file.",
  },
  machine: {
    title: "Machine",
    disk: "Disk",
    diskFree: (free, total) => `${free} free of ${total}`,
    clock: "Clock",
    clockUnknown: "not compared with the police yet",
    clockFine: (span) => `right (${span} off the police's)`,
    clockAhead: (span) => `${span} ahead of the police's`,
    clockBehind: (span) => `${span} behind the police's`,
    services: "Services",
    serviceStates: { running: "runs", stalled: "does not answer", dead: "died" },
    version: "Version",
    store: "Database",
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
      mend: "Make room on the disk.",
    }),
    "disk-low": (f, _span, size) => ({
      text: `The disk is nearly full (${size(Number(f["freeBytes"]))} free).`,
      mend: "Make room on the disk.",
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
      const { text, mend } = en.reason(String(f["reason"]));
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
    "camera-none": () => ({ text: "No camera is registered.", mend: "Register the first one on the machine." }),
    "held-unregistered": (f, _span, _size, some) => ({
      text: `Readings are held of cameras that are not registered: ${some(f["serials"])}.`,
      mend: "Register them: what is held is then delivered.",
    }),
    "held-malformed": (f) => ({
      text: `${messages(Number(f["messages"]))} could not be understood.`,
      mend: "Check which fields the camera sends.",
    }),
  },
  cure: {
    retry: "Send again",
    certificate: "Import certificate",
    register: "Register",
    look: "Look at them",
    command: "On the machine:",
    retried: (count) =>
      count === 0 ? "There was nothing to send again." : `${readings(count)} will be sent again now.`,
  },
  messages: {
    title: "Queue",
    filter: "Which",
    anyState: "All states",
    anyCamera: "All cameras",
    anyReason: "All reasons",
    reason: "Reason",
    number: "Message",
    plate: "Plate",
    taken: "Taken",
    attempts: "Attempts",
    why: "Why",
    retryAll: "Send these again",
    discardAll: "Discard these",
    empty: "There is none. What was delivered is erased.",
    discarded: (count) => `${readings(count)} discarded and erased.`,
    discardSure: (count, more) =>
      `Discard ${more ? "more than " : ""}${readings(count)} with their pictures? They are erased without being delivered. This cannot be undone.`,
  },
  message: {
    title: (id) => `Message ${id}`,
    gone: "It is not in the queue any more.",
    goneHelp: "It was delivered to the police, or discarded. Either way its plate and pictures are erased.",
    camera: "Camera",
    municipality: "Municipality",
    endpoint: "Police service",
    plate: "Plate",
    showPlate: "Show the plate",
    showPictures: "Show the pictures",
    audited: "Who looks is written into the audit log.",
    pictures: "Pictures",
    ocr: "Picture of the plate",
    ctx: "Context picture",
    broken: "The browser cannot show this picture. It is delivered as the camera sent it.",
    noPicture: "The camera sent none.",
    life: "Its life",
    taken: "Taken by the camera",
    takenArrival: "Taken (the camera gave no usable time: the time of arrival counts)",
    takenAmbiguous: "Taken (in the hour that happens twice: the first one counts)",
    received: "Received and safe on the disk",
    waits: "Waits to be sent",
    sending: "Is being sent now",
    givenUp: "Given up",
    noAttempts: "It was not sent yet.",
    answered: "after",
    discard: "Discard",
    discardSure: "Discard this reading with its pictures? It is erased without being delivered. This cannot be undone.",
    confidence: "Confidence",
    country: "Country",
    lane: "Lane",
    direction: "Direction",
    nextTry: (at) => `Will be tried again at ${at}`,
    outcomes: {
      accepted: "Accepted by the police",
      rejected: "Refused by the police",
      unreachable: "The police were not reached",
      unanswered: "The police did not answer",
      misconfigured: "The police refused our certificate, clock or address",
    },
  },
  held: {
    title: "Quarantine",
    unregistered: "Cameras that are not registered",
    unregisteredHelp: "What they sent is kept. Once the camera is registered it is delivered.",
    malformed: "Messages that could not be understood",
    malformedHelp:
      "Check which fields the camera sends. After that, what is held here can be taken in again or erased.",
    readerCode: "Reader code",
    readerHelp: "codiLector, given by the police, at most 16 characters",
    description: "Description (as you like)",
    empty: "Nothing is held.",
    reason: "What is wrong",
    from: "From",
    received: "Received",
    size: "Size",
    again: "Take in again",
    drop: "Erase",
    waiting: (count) => `${messages(count)} held`,
    registered: (serial) => `Camera ${serial} is registered. What is held of it is being taken up.`,
    results: (results) => `Done: ${results}.`,
    dropSure: (count) => `Erase ${messages(count)}? This cannot be undone.`,
    dropped: (count) => `${messages(count)} erased.`,
    outcomes: {
      queued: "queued",
      duplicate: "known already",
      inactive: "camera switched off",
      unregistered: "camera not registered",
      "not-read": "without plate",
      quarantined: "still not understood",
      malformed: "still not understood",
      gone: "content not kept",
    },
  },
  reason: (reason) => {
    const known: Record<string, { text: string; mend: string }> = {
      NO_IMAGE_AVAILABLE_OCR: {
        text: "the camera sent no picture of the plate, which the police require.",
        mend: "Let the camera send IMAGE_OCR. What came without cannot be delivered: discard it.",
      },
      NO_IMAGE_FILE_OCR: {
        text: "the picture of the plate is not on the disk any more.",
        mend: "It cannot be delivered: discard it.",
      },
      NO_IMAGE_FILE_CTX: {
        text: "the context picture is not on the disk any more.",
        mend: "It cannot be delivered: discard it.",
      },
      CERTIFICADO_NO_CONFIGURADO: {
        text: "the municipality has no certificate.",
        mend: "Import it: what waits for it is then sent by itself.",
      },
      CERTIFICADO_INCOMPLETO: {
        text: "files of the certificate are missing or do not fit together.",
        mend: "Import it again: what waits for it is then sent by itself.",
      },
      ENDPOINT_URL_NO_CONFIGURADA: {
        text: "no police service is assigned to the municipality.",
        mend: "Assign one: what waits for it is then sent by itself.",
      },
      MAX_REINTENTOS_AGOTADOS: {
        text: "the police did not answer, though they answered for other readings.",
        mend: "Send again. If it happens again, ask the police with the time of the attempts.",
      },
    };
    const [head = ""] = reason.split(/[:\s]/);
    if (known[head] !== undefined) return known[head];
    if (head.startsWith("codiRetorn=")) {
      return {
        text: `the police refused with code ${head.slice("codiRetorn=".length)}.`,
        mend: "Ask the police what it means, mend it, then send again.",
      };
    }
    if (head === "CAMPO_NO_VALIDO") {
      return {
        text: `a field does not fit what the police allow (${reason.slice(16)}).`,
        mend: "Correct it in the camera or its registration, then send again.",
      };
    }
    return { text: reason, mend: "Look at one of them, mend it, then send again." };
  },
};

function pauseText(facts: Facts): string {
  const kind =
    { unreachable: "it is not reached", unanswered: "it does not answer", misconfigured: "it refuses us" }[
      String(facts["kind"])
    ] ?? "for an unknown reason";
  return `${kind} (${facts["detail"]}).`;
}
