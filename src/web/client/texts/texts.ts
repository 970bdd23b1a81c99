import type { AttentionCode } from "../../../attention.ts";
import type { AuditedDeed } from "../../../store/audit.ts";

export type Facts = Readonly<Record<string, string | number | readonly string[]>>;
export interface Advice {
  /** What is wrong, in a sentence. */
  text: string;
  /** What to do. */
  mend: string;
}
type Span = (ms: number) => string;
type Size = (bytes: number) => string;
type Some = (names: Facts[string] | undefined) => string;
type State = "PENDING" | "SENDING" | "FAILED" | "DEAD" | "SUCCESS";
type Role = "viewer" | "operator" | "admin";

/** Everything the dashboard says, in one language. */
export interface Texts {
  /** For dates and numbers. */
  tag: string;
  name: string;
  /** Behind the first of a list. */
  others(count: number): string;
  app: Words<
    | "title"
    | "skip"
    | "nav"
    | "overview"
    | "messages"
    | "held"
    | "certificates"
    | "language"
    | "theme"
    | "logOut"
    | "loading"
    | "lost"
    | "cancel"
    | "copy"
    | "copied"
    | "never"
    | "unknown"
    | "notFound"
    | "more"
    | "showMore"
  > & {
    themes: Words<"auto" | "light" | "dark">;
    roles: Words<Role>;
    storeAway(spooled: number | null, isFull: boolean): string;
    ago(age: string): string;
    needsRole(role: string): string;
  };
  login: Words<"title" | "token" | "help" | "submit" | "wrong" | "tooMany">;
  firstRun: Words<"title" | "text" | "after" | "roles">;
  verdict: Words<"fine" | "attention" | "down" | "noneYet" | "todo" | "allGood"> & {
    moving(count: number): string;
    dead(count: number): string;
    waiting(count: number): string;
    last(age: string): string;
    oldest(age: string): string;
  };
  balance: Words<
    "title" | "help" | "received" | "delivered" | "waiting" | "dead" | "expired" | "discarded" | "difference" | "adds"
  > & { off(count: number): string };
  rates: Words<"title" | "received" | "delivered" | "span" | "table" | "time"> & {
    spans: Words<"hour" | "day" | "week">;
    summary(received: number, delivered: number): string;
  };
  queue: Words<"title" | "state" | "count" | "oldest" | "empty"> & {
    states: Words<State>;
    /** Of one reading. */
    one: Words<State>;
  };
  cameras: Words<
    "title" | "fewer" | "serial" | "lastReading" | "rate" | "lastSent" | "clock" | "clockFine" | "off" | "none"
  > & {
    all(count: number): string;
    usual(count: number): string;
    counted(thisHour: number, lastHour: number): string;
    clockFast(span: string): string;
    clockSlow(span: string): string;
  };
  endpoints: Words<
    "title" | "name" | "state" | "open" | "idle" | "paused" | "answers" | "lastAccepted" | "default" | "none"
  > & { kinds: Words<"unreachable" | "unanswered" | "misconfigured"> };
  certificates: Words<
    | "title"
    | "municipality"
    | "subject"
    | "ends"
    | "left"
    | "over"
    | "none"
    | "import"
    | "drop"
    | "choose"
    | "password"
    | "forMunicipality"
    | "submit"
    | "notPfx"
    | "tooLarge"
  > & {
    days(count: number): string;
    chosen(name: string): string;
    done(municipality: string): string;
    staged(municipality: string): string;
  };
  machine: Words<"title" | "disk" | "clock" | "clockUnknown" | "services" | "version" | "store"> & {
    diskFree(free: string, total: string): string;
    clockFine(span: string): string;
    clockAhead(span: string): string;
    clockBehind(span: string): string;
    serviceStates: Words<"running" | "stalled" | "dead">;
  };
  attention: Readonly<Record<AttentionCode, (facts: Facts, span: Span, size: Size, some: Some) => Advice>>;
  cure: Words<
    "retry" | "certificate" | "register" | "look" | "command" | "tryNow" | "trying" | "notPaused" | "address"
  > & {
    retried(count: number): string;
  };
  messages: Words<
    | "title"
    | "filter"
    | "anyState"
    | "anyCamera"
    | "anyReason"
    | "reason"
    | "number"
    | "plate"
    | "taken"
    | "cameraClock"
    | "attempts"
    | "why"
    | "retryAll"
    | "discardAll"
    | "empty"
  > & {
    discarded(count: number): string;
    discardSure(count: number, more: boolean): string;
  };
  message: Words<
    | "gone"
    | "goneHelp"
    | "camera"
    | "municipality"
    | "endpoint"
    | "plate"
    | "showPlate"
    | "showPictures"
    | "audited"
    | "pictures"
    | "ocr"
    | "ctx"
    | "broken"
    | "noPicture"
    | "life"
    | "taken"
    | "takenArrival"
    | "takenAmbiguous"
    | "takenWallClock"
    | "received"
    | "waits"
    | "sending"
    | "givenUp"
    | "noAttempts"
    | "answered"
    | "discard"
    | "discardSure"
    | "confidence"
    | "country"
    | "lane"
    | "direction"
    | "looked"
  > & {
    title(id: string): string;
    nextTry(at: string): string;
    outcomes: Words<"accepted" | "rejected" | "unreachable" | "unanswered" | "misconfigured">;
  };
  held: Words<
    | "title"
    | "unregistered"
    | "unregisteredHelp"
    | "malformed"
    | "malformedHelp"
    | "readerCode"
    | "readerHelp"
    | "description"
    | "empty"
    | "reason"
    | "from"
    | "received"
    | "size"
    | "again"
    | "drop"
  > & {
    waiting(count: number): string;
    registered(serial: string): string;
    allFields(serial: string): string;
    results(results: string): string;
    dropSure(count: number): string;
    dropped(count: number): string;
    outcomes: Readonly<Record<string, string>>;
  };
  registry: Words<
    | "title"
    | "actions"
    | "change"
    | "remove"
    | "save"
    | "choose"
    | "name"
    | "serial"
    | "serialHelp"
    | "code"
    | "on"
    | "offMunicipality"
    | "address"
    | "addressHelp"
    | "unprotected"
    | "profile"
    | "profileHelp"
    | "timeout"
    | "retries"
    | "numberHelp"
    | "wsdlHelp"
    | "tlsClient"
    | "zone"
    | "zoneHelp"
    | "endpointZoneHelp"
    | "coordinates"
    | "coordX"
    | "coordY"
    | "coordinateHelp"
    | "cameraActive"
    | "municipalityActive"
    | "ofMunicipality"
    | "defaultEndpoint"
    | "certificate"
    | "certificateHelp"
    | "noCertificate"
    | "noMunicipality"
    | "noMunicipalities"
    | "addCamera"
    | "addMunicipality"
    | "addEndpoint"
    | "readings"
    | "readingsKeep"
    | "readingsErase"
  > & {
    parts: Words<"cameras" | "municipalities" | "endpoints">;
    numbers: Words<"timeoutMs" | "retryMax" | "retryBackoffMs">;
    usedBy(names: string): string;
    changing(name: string): string;
    removing(name: string): string;
    saved(name: string): string;
    removed(name: string): string;
    removedErased(name: string, count: number): string;
    retired(name: string): string;
  };
  tokens: Words<
    | "title"
    | "add"
    | "submit"
    | "name"
    | "nameHelp"
    | "role"
    | "days"
    | "daysHelp"
    | "created"
    | "ends"
    | "endless"
    | "over"
    | "used"
    | "yours"
    | "once"
    | "kept"
    | "revoke"
    | "revokeHelp"
    | "revokeOwn"
  > & {
    made(name: string): string;
    revoking(name: string): string;
    revoked(name: string): string;
  };
  audit: Words<
    | "title"
    | "help"
    | "when"
    | "who"
    | "what"
    | "detail"
    | "message"
    | "since"
    | "anything"
    | "filter"
    | "more"
    | "empty"
  > & {
    shown(count: number): string;
    deeds: Words<AuditedDeed>;
  };
  /** What is wrong with a field. */
  form: Words<"required" | "known" | "reader" | "together" | "coordinate" | "address" | "zone" | "wsdl"> & {
    /** In the service's own words, which are English. */
    refused(words: string): string;
    text(most: number): string;
    whole(least: number, most: number): string;
  };
  /** Why readings were given up, to stand behind a colon. */
  reason(reason: string): Advice;
}

type Words<K extends string> = Readonly<Record<K, string>>;
