import type { Facts, Texts } from "./texts.ts";

const n = (count: number): string => count.toLocaleString("ca-ES");
const readings = (count: number): string => `${n(count)} ${count === 1 ? "lectura" : "lectures"}`;
const messages = (count: number): string => `${n(count)} ${count === 1 ? "missatge" : "missatges"}`;
const days = (count: number): string => `${n(count)} ${count === 1 ? "dia" : "dies"}`;
const task = (facts: Facts): string =>
  ({ ingest: "La recepció de lectures", sender: "L’enviament", api: "El servei del tauler" })[String(facts["task"])] ??
  String(facts["task"]);
const harm = (facts: Facts): string =>
  facts["task"] === "ingest"
    ? "no es rep cap lectura; les càmeres guarden les seves"
    : "no es lliura res; les lectures esperen";
/** `de Vila`, `d’Olot`. */
const of = (name: Facts[string] | undefined): string =>
  /^h?[aeiouàèéíòóú]/i.test(String(name)) ? `d’${name}` : `de ${name}`;

/** Catalan. */
export const ca: Texts = {
  tag: "ca-ES",
  name: "Català",
  others: (count) => `i ${n(count)} més`,
  app: {
    title: "Lectures per a la policia",
    skip: "Vés al contingut",
    nav: "Pàgines",
    overview: "Resum",
    messages: "Cua",
    held: "Quarantena",
    certificates: "Certificats",
    language: "Idioma",
    theme: "Colors",
    themes: { auto: "Com el dispositiu", light: "Clar", dark: "Fosc" },
    logOut: "Surt",
    roles: { viewer: "només consulta", operator: "operador", admin: "administrador" },
    loading: "S’està carregant…",
    lost: "Sense connexió: el que es veu pot ser antic. Es torna a provar.",
    cancel: "Cancel·la",
    copy: "Copia",
    copied: "Copiat",
    never: "mai",
    unknown: "desconegut",
    storeAway: (spooled) =>
      `La base de dades no respon: no es lliura res fins que respongui. Les càmeres no noten res${spooled === null ? "" : `; ${readings(spooled)} ${spooled === 1 ? "espera" : "esperen"} al disc d’aquesta màquina`}. El que es veu a sota pot ser antic.`,
    ago: (age) => `fa ${age}`,
    notFound: "Aquesta pàgina no existeix.",
    needsRole: (role) => `Cal el rol ${role}.`,
    more: "N’hi ha més; només es mostren els primers.",
  },
  login: {
    title: "Entra",
    token: "Token",
    help: "El crea algú amb accés a la màquina:",
    submit: "Entra",
    wrong: "Aquest token no es coneix, s’ha revocat o ha caducat.",
    tooMany: "Massa intents fallits des d’aquesta adreça. Espereu un quart d’hora.",
  },
  firstRun: {
    title: "Benvinguts a tattile",
    text: "Encara no hi pot entrar ningú. Creeu el primer token a la màquina, per consola o SSH:",
    after:
      "El token es mostra una sola vegada. Deseu-lo com una contrasenya. Aquesta pàgina se n’adona sola i el demanarà.",
    roles: "Rols: viewer veu com està tot, sense matrícules ni fotos; operator reenvia i descarta; admin ho pot tot.",
  },
  verdict: {
    fine: "Tot està lliurat",
    moving: (count) => `${readings(count)} en camí`,
    attention: "Alguna cosa us necessita",
    dead: (count) => `${readings(count)} sense poder lliurar`,
    down: "Les lectures no arriben",
    waiting: (count) => `${readings(count)} a l’espera de lliurament`,
    last: (age) => `Darrer lliurament fa ${age}`,
    noneYet: "Encara no s’ha lliurat res",
    oldest: (age) => `la més antiga espera des de fa ${age}`,
    todo: "Què cal fer",
    allGood: "No cal fer res.",
  },
  balance: {
    title: "Balanç",
    help: "Cada lectura rebuda mai és en un, i només un, d’aquests llocs.",
    received: "Rebudes",
    delivered: "Lliurades i esborrades",
    waiting: "En espera",
    dead: "Abandonades",
    expired: "Caducades",
    discarded: "Descartades a mà",
    difference: "Diferència",
    adds: "Quadra: no falta res.",
    off: (count) => `No quadra: ${n(count)}. Comuniqueu-ho amb el registre.`,
  },
  rates: {
    title: "Lectures per minut",
    received: "Entren",
    delivered: "Surten (lliurades)",
    span: "Període",
    spans: { hour: "Hora", day: "Dia", week: "Setmana" },
    summary: (received, delivered) =>
      `En aquest període n’han entrat ${n(received)} i se n’han lliurat ${n(delivered)}.`,
    table: "Com a taula",
    time: "Hora",
  },
  queue: {
    title: "Cua",
    state: "Estat",
    count: "Lectures",
    oldest: "La més antiga",
    states: {
      PENDING: "En espera",
      SENDING: "S’envien",
      FAILED: "Es tornaran a provar",
      DEAD: "Abandonades",
      SUCCESS: "Lliurades",
    },
    one: {
      PENDING: "en espera",
      SENDING: "s’està enviant",
      FAILED: "es tornarà a provar",
      DEAD: "abandonada",
      SUCCESS: "lliurada",
    },
    empty: "No hi ha res en espera.",
  },
  cameras: {
    title: "Càmeres",
    serial: "Càmera",
    lastReading: "Darrera lectura",
    rate: "Aquesta hora / anterior",
    fewer: "Mostra’n menys",
    all: (count) => `Mostra les ${n(count)}`,
    usual: (count) => `l’habitual ${n(count)}`,
    lastSent: "Darrer enviament",
    clock: "Rellotge",
    clockFine: "en hora",
    clockFast: (span) => `avança ${span}`,
    clockSlow: (span) => `endarrereix ${span}`,
    off: "desactivada",
    none: "No hi ha cap càmera donada d’alta.",
  },
  endpoints: {
    title: "Serveis de la policia",
    name: "Servei",
    state: "Estat",
    open: "funciona",
    idle: "encara no s’ha fet servir",
    paused: "en pausa",
    kinds: {
      unreachable: "no s’hi arriba",
      unanswered: "no respon",
      misconfigured: "rebutja el nostre certificat, rellotge o adreça",
    },
    answers: "Respon en",
    lastAccepted: "Darrera acceptada",
    default: "per defecte",
    none: "No hi ha cap servei de la policia configurat.",
  },
  certificates: {
    title: "Certificats",
    municipality: "Municipi",
    subject: "Emès a",
    ends: "Vàlid fins al",
    left: "Queden",
    days,
    over: "caducat",
    none: "No hi ha cap certificat en ús.",
    import: "Importa un certificat",
    drop: "Deixeu anar aquí el fitxer .pfx o .p12",
    choose: "Tria un fitxer",
    chosen: (name) => `Fitxer: ${name}`,
    password: "Contrasenya del fitxer",
    forMunicipality: "Per al municipi",
    submit: "Importa",
    done: (municipality) => `El certificat ${of(municipality)} ja està en ús. S’envia el que l’esperava.`,
    staged: (municipality) => `El certificat ${of(municipality)} queda a punt: s’usarà sol quan comenci a ser vàlid.`,
    notPfx: "No és un fitxer PFX: el seu nom acaba en .pfx o .p12.",
    tooLarge: "El fitxer passa d’1 MB: no és un fitxer PFX.",
  },
  machine: {
    title: "Màquina",
    disk: "Disc",
    diskFree: (free, total) => `${free} lliures de ${total}`,
    clock: "Rellotge",
    clockUnknown: "encara no s’ha comparat amb el de la policia",
    clockFine: (span) => `en hora (a ${span} del de la policia)`,
    clockAhead: (span) => `avança ${span} respecte al de la policia`,
    clockBehind: (span) => `endarrereix ${span} respecte al de la policia`,
    services: "Serveis",
    serviceStates: { running: "en marxa", stalled: "no respon", dead: "caigut" },
    version: "Versió",
    store: "Base de dades",
  },
  attention: {
    "service-missing": (f) => ({ text: `${task(f)} no està en marxa: ${harm(f)}.`, mend: "Engegueu-ho a la màquina." }),
    "service-dead": (f) => ({
      text: `${task(f)} ha caigut: ${harm(f)}.`,
      mend: "Engegueu-ho de nou i mireu-ne el registre.",
    }),
    "service-stalled": (f, span) => ({
      text: `${task(f)} no respon des de fa ${span(Number(f["silentMs"]))}.`,
      mend: "Mireu-ne el registre.",
    }),
    "sender-off": () => ({
      text: "L’enviament està desactivat: les lectures esperen.",
      mend: "Poseu SENDER_ENABLED=true i reinicieu el servei.",
    }),
    "balance-off": (f) => ({
      text: `Balanç: ${readings(Math.abs(Number(f["difference"])))} ${Number(f["difference"]) > 0 ? "de menys" : "de més"}.`,
      mend: "Conserveu el registre i aviseu-ne.",
    }),
    "disk-full": (f, _span, size) => ({
      text: `El disc és ple (${size(Number(f["freeBytes"]))} lliures): les càmeres han de guardar les seves lectures.`,
      mend: "Allibereu espai al disc.",
    }),
    "disk-low": (f, _span, size) => ({
      text: `El disc és gairebé ple (${size(Number(f["freeBytes"]))} lliures).`,
      mend: "Allibereu espai al disc.",
    }),
    "clock-off": (f, span) => ({
      text: `El rellotge d’aquesta màquina ${Number(f["offsetMs"]) > 0 ? "endarrereix" : "avança"} ${span(Math.abs(Number(f["offsetMs"])))} respecte al de la policia, que rebutja el que té 5 minuts o és 1 minut en el futur.`,
      mend: "Deixeu que la màquina posi en hora el rellotge tota sola.",
    }),
    "endpoint-paused": (f) => ({
      text: `${f["endpoint"]} està en pausa: ${pauseText(f)}`,
      mend:
        f["kind"] === "misconfigured"
          ? "Reviseu l’adreça del servei."
          : "Reviseu la xarxa d’aquesta màquina. Es torna a provar tot sol i no es perd cap lectura.",
    }),
    "route-paused": (f) => ({
      text: `${f["endpoint"]} no accepta un dels nostres certificats: ${f["detail"]}.`,
      mend: "Importeu el certificat vigent.",
    }),
    "certificate-over": (f) => ({
      text: `El certificat ${of(f["municipality"])} ha caducat.`,
      mend: "Importeu el nou.",
    }),
    "certificate-ends": (f) => ({
      text: `El certificat ${of(f["municipality"])} caduca d’aquí a ${days(Number(f["daysLeft"]))}.`,
      mend: "Demaneu el nou i importeu-lo.",
    }),
    "certificate-missing": (f) => ({
      text: `${f["municipality"]} té càmeres però no certificat: les seves lectures no es poden signar.`,
      mend: "Importeu-ne el certificat.",
    }),
    "certificate-refused": (f) => ({
      text: `El certificat següent ${of(f["municipality"])} ha estat rebutjat; torna a signar l’anterior: ${f["detail"]}.`,
      mend: "Pregunteu a qui l’ha emès i prepareu-ne un altre.",
    }),
    dead: (f) => {
      const { text, mend } = ca.reason(String(f["reason"]));
      return { text: `${readings(Number(f["count"]))} sense poder lliurar: ${text}`, mend };
    },
    "dead-others": (f) => ({
      text: `Hi ha més lectures sense poder lliurar, per ${f["reasons"] === 1 ? "un altre motiu" : `${n(Number(f["reasons"]))} motius més`}.`,
      mend: "Mireu-les a la cua.",
    }),
    "waiting-old": (f, span) => ({
      text: `La lectura més antiga en espera va arribar fa ${span(Number(f["ageMs"]))}.`,
      mend: "Mireu a dalt què la reté; si no hi ha motiu, mireu-la a la cua.",
    }),
    "camera-silent": (f, _span, _size, some) => ({
      text: `Cap lectura des de fa un dia de ${some(f["serials"])}.`,
      mend: "Reviseu la càmera, el corrent i la xarxa.",
    }),
    "camera-never": (f, _span, _size, some) => ({
      text: `No ha arribat mai cap lectura de ${some(f["serials"])}.`,
      mend: "Reviseu a la càmera l’adreça i el port d’aquesta màquina, i aquí el número de sèrie.",
    }),
    "camera-none": () => ({
      text: "No hi ha cap càmera donada d’alta.",
      mend: "Doneu d’alta la primera a la màquina.",
    }),
    "held-unregistered": (f, _span, _size, some) => ({
      text: `Es retenen lectures de càmeres sense donar d’alta: ${some(f["serials"])}.`,
      mend: "Doneu-les d’alta: llavors es lliura el que s’ha retingut.",
    }),
    "held-malformed": (f) => ({
      text: `${messages(Number(f["messages"]))} que no s’${f["messages"] === 1 ? "ha" : "han"} pogut entendre.`,
      mend: "Reviseu quins camps envia la càmera.",
    }),
  },
  cure: {
    retry: "Envia de nou",
    certificate: "Importa certificat",
    register: "Dona d’alta",
    look: "Mostra",
    command: "A la màquina:",
    retried: (count) =>
      count === 0
        ? "No hi havia res per enviar de nou."
        : `${readings(count)} ${count === 1 ? "s’envia" : "s’envien"} ara de nou.`,
  },
  messages: {
    title: "Cua",
    filter: "Quines",
    anyState: "Tots els estats",
    anyCamera: "Totes les càmeres",
    anyReason: "Tots els motius",
    reason: "Motiu",
    number: "Missatge",
    plate: "Matrícula",
    taken: "Presa",
    attempts: "Intents",
    why: "Per què",
    retryAll: "Envia aquestes de nou",
    discardAll: "Descarta aquestes",
    empty: "No n’hi ha cap. El que s’ha lliurat s’esborra.",
    discarded: (count) => `${readings(count)} ${count === 1 ? "descartada i esborrada" : "descartades i esborrades"}.`,
    discardSure: (count, more) =>
      `Voleu descartar ${more ? "més de " : ""}${readings(count)} amb les fotos? S’esborren sense lliurar-se. No es pot desfer.`,
  },
  message: {
    title: (id) => `Missatge ${id}`,
    gone: "Ja no és a la cua.",
    goneHelp:
      "S’ha lliurat a la policia, o s’ha descartat. En tots dos casos la matrícula i les fotos estan esborrades.",
    camera: "Càmera",
    municipality: "Municipi",
    endpoint: "Servei de la policia",
    plate: "Matrícula",
    showPlate: "Mostra la matrícula",
    showPictures: "Mostra les fotos",
    audited: "Qui mira queda anotat al registre d’auditoria.",
    pictures: "Fotos",
    ocr: "Foto de la matrícula",
    ctx: "Foto de context",
    broken: "El navegador no pot mostrar aquesta foto. Es lliura tal com l’ha enviat la càmera.",
    noPicture: "La càmera no n’ha enviat cap.",
    life: "La seva vida",
    taken: "Presa per la càmera",
    takenArrival: "Presa (la càmera no va donar una hora vàlida: compta la d’arribada)",
    takenAmbiguous: "Presa (a l’hora que passa dues vegades: compta la primera)",
    received: "Rebuda i segura al disc",
    waits: "Espera que s’enviï",
    sending: "S’està enviant",
    givenUp: "Abandonada",
    noAttempts: "Encara no s’ha enviat.",
    answered: "al cap de",
    discard: "Descarta",
    discardSure: "Voleu descartar aquesta lectura amb les fotos? S’esborra sense lliurar-se. No es pot desfer.",
    confidence: "Fiabilitat",
    country: "País",
    lane: "Carril",
    direction: "Sentit",
    nextTry: (at) => `Es tornarà a provar a les ${at}`,
    outcomes: {
      accepted: "Acceptada per la policia",
      rejected: "Rebutjada per la policia",
      unreachable: "No s’ha arribat a la policia",
      unanswered: "La policia no ha respost",
      misconfigured: "La policia ha rebutjat el nostre certificat, rellotge o adreça",
    },
  },
  held: {
    title: "Quarantena",
    unregistered: "Càmeres sense donar d’alta",
    unregisteredHelp: "Es guarda el que van enviar. Quan es dona d’alta la càmera, es lliura.",
    malformed: "Missatges que no s’han pogut entendre",
    malformedHelp:
      "Reviseu quins camps envia la càmera. Després, el que s’ha retingut es pot tornar a prendre o esborrar.",
    readerCode: "Codi de lector",
    readerHelp: "codiLector, el dona la policia, 16 caràcters com a màxim",
    description: "Descripció (com vulgueu)",
    empty: "No hi ha res retingut.",
    reason: "Què passa",
    from: "Des de",
    received: "Rebut",
    size: "Mida",
    again: "Torna a prendre",
    drop: "Esborra",
    waiting: (count) => `${messages(count)} ${count === 1 ? "retingut" : "retinguts"}`,
    registered: (serial) => `La càmera ${serial} està donada d’alta. El que s’ha retingut s’està prenent.`,
    results: (results) => `Fet: ${results}.`,
    dropSure: (count) => `Voleu esborrar ${messages(count)}? No es pot desfer.`,
    dropped: (count) => `${messages(count)} ${count === 1 ? "esborrat" : "esborrats"}.`,
    outcomes: {
      queued: "a la cua",
      duplicate: "ja coneguda",
      inactive: "càmera desactivada",
      unregistered: "càmera sense donar d’alta",
      "not-read": "sense matrícula",
      quarantined: "continua sense entendre’s",
      malformed: "continua sense entendre’s",
      gone: "contingut no guardat",
    },
  },
  reason: (reason) => {
    const known: Record<string, { text: string; mend: string }> = {
      NO_IMAGE_AVAILABLE_OCR: {
        text: "la càmera no va enviar la foto de la matrícula, que la policia exigeix.",
        mend: "Feu que la càmera enviï IMAGE_OCR. El que va arribar sense no es pot lliurar: descarteu-ho.",
      },
      NO_IMAGE_FILE_OCR: {
        text: "la foto de la matrícula ja no és al disc.",
        mend: "No es pot lliurar: descarteu-ho.",
      },
      NO_IMAGE_FILE_CTX: {
        text: "la foto de context ja no és al disc.",
        mend: "No es pot lliurar: descarteu-ho.",
      },
      CERTIFICADO_NO_CONFIGURADO: {
        text: "el municipi no té certificat.",
        mend: "Importeu-lo: llavors s’envia tot sol el que l’espera.",
      },
      CERTIFICADO_INCOMPLETO: {
        text: "falten fitxers del certificat o no encaixen entre ells.",
        mend: "Importeu-lo de nou: llavors s’envia tot sol el que l’espera.",
      },
      ENDPOINT_URL_NO_CONFIGURADA: {
        text: "el municipi no té assignat cap servei de la policia.",
        mend: "Assigneu-n’hi un: llavors s’envia tot sol el que l’espera.",
      },
      MAX_REINTENTOS_AGOTADOS: {
        text: "la policia no va respondre, tot i que sí a d’altres lectures.",
        mend: "Envieu de nou. Si es repeteix, pregunteu a la policia amb l’hora dels intents.",
      },
    };
    const [head = ""] = reason.split(/[:\s]/);
    if (known[head] !== undefined) return known[head];
    if (head.startsWith("codiRetorn=")) {
      return {
        text: `la policia respon amb un rebuig, codi ${head.slice("codiRetorn=".length)}.`,
        mend: "Pregunteu a la policia què vol dir, corregiu-ho i envieu de nou.",
      };
    }
    if (head === "CAMPO_NO_VALIDO") {
      return {
        text: `un camp no cap en el que admet la policia (${reason.slice(16)}).`,
        mend: "Corregiu-ho a la càmera o a la seva alta i envieu de nou.",
      };
    }
    return { text: reason, mend: "Mireu-ne una, corregiu la causa i envieu de nou." };
  },
};

function pauseText(facts: Facts): string {
  const kind =
    { unreachable: "no s’hi arriba", unanswered: "no respon", misconfigured: "ens rebutja" }[String(facts["kind"])] ??
    "per un motiu desconegut";
  return `${kind} (${facts["detail"]}).`;
}
