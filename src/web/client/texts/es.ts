import type { Facts, Texts } from "./texts.ts";

const n = (count: number): string => count.toLocaleString("es-ES");
const readings = (count: number): string => `${n(count)} ${count === 1 ? "lectura" : "lecturas"}`;
const messages = (count: number): string => `${n(count)} ${count === 1 ? "mensaje" : "mensajes"}`;
const days = (count: number): string => `${n(count)} ${count === 1 ? "día" : "días"}`;
const task = (facts: Facts): string =>
  ({ ingest: "La recepción de lecturas", sender: "El envío", api: "El servicio del panel" })[String(facts["task"])] ??
  String(facts["task"]);
const harm = (facts: Facts): string =>
  facts["task"] === "ingest"
    ? "no se recibe ninguna lectura; las cámaras guardan las suyas"
    : "no se entrega nada; las lecturas esperan";

/** Spanish. */
export const es: Texts = {
  tag: "es-ES",
  name: "Español",
  others: (count) => `y ${n(count)} más`,
  app: {
    title: "Lecturas para la policía",
    skip: "Ir al contenido",
    nav: "Páginas",
    overview: "Resumen",
    messages: "Cola",
    held: "Cuarentena",
    certificates: "Certificados",
    language: "Idioma",
    theme: "Colores",
    themes: { auto: "Como el dispositivo", light: "Claro", dark: "Oscuro" },
    logOut: "Salir",
    roles: { viewer: "solo consulta", operator: "operador", admin: "administrador" },
    loading: "Cargando…",
    lost: "Sin conexión: lo que se ve puede ser antiguo. Se vuelve a intentar.",
    cancel: "Cancelar",
    copy: "Copiar",
    copied: "Copiado",
    never: "nunca",
    unknown: "desconocido",
    storeAway: (spooled) =>
      `La base de datos no responde: no se entrega nada hasta que responda. Las cámaras no notan nada${spooled === null ? "" : `; ${readings(spooled)} ${spooled === 1 ? "espera" : "esperan"} en el disco de esta máquina`}. Lo que se ve abajo puede ser antiguo.`,
    ago: (age) => `hace ${age}`,
    notFound: "Esta página no existe.",
    needsRole: (role) => `Hace falta el rol ${role}.`,
    more: "Hay más; solo se muestran los primeros.",
  },
  login: {
    title: "Entrar",
    token: "Token",
    help: "Lo crea alguien con acceso a la máquina:",
    submit: "Entrar",
    wrong: "Este token no se conoce, está revocado o ha caducado.",
    tooMany: "Demasiados intentos fallidos desde esta dirección. Espere un cuarto de hora.",
  },
  firstRun: {
    title: "Bienvenido a tattile",
    text: "Todavía no puede entrar nadie. Cree el primer token en la máquina, por consola o SSH:",
    after: "El token se muestra una sola vez. Guárdelo como una contraseña. Esta página se da cuenta sola y lo pedirá.",
    roles:
      "Roles: viewer ve cómo está todo, sin matrículas ni fotos; operator reenvía y descarta; admin lo puede todo.",
  },
  verdict: {
    fine: "Todo está entregado",
    moving: (count) => `${readings(count)} en camino`,
    attention: "Algo requiere su atención",
    dead: (count) => `${readings(count)} sin poder entregar`,
    down: "Las lecturas no llegan",
    waiting: (count) => `${readings(count)} a la espera de entrega`,
    last: (age) => `Última entrega hace ${age}`,
    noneYet: "Todavía no se ha entregado nada",
    oldest: (age) => `la más antigua espera desde hace ${age}`,
    todo: "Qué hacer",
    allGood: "No hay nada que hacer.",
  },
  balance: {
    title: "Balance",
    help: "Cada lectura recibida alguna vez está en uno, y solo uno, de estos sitios.",
    received: "Recibidas",
    delivered: "Entregadas y borradas",
    waiting: "En espera",
    dead: "Abandonadas",
    expired: "Caducadas",
    discarded: "Descartadas a mano",
    difference: "Diferencia",
    adds: "Cuadra: no falta nada.",
    off: (count) => `No cuadra: ${n(count)}. Comuníquelo con el registro.`,
  },
  rates: {
    title: "Lecturas por minuto",
    received: "Entran",
    delivered: "Salen (entregadas)",
    span: "Periodo",
    spans: { hour: "Hora", day: "Día", week: "Semana" },
    summary: (received, delivered) => `En este periodo entraron ${n(received)} y se entregaron ${n(delivered)}.`,
    table: "Como tabla",
    time: "Hora",
  },
  queue: {
    title: "Cola",
    state: "Estado",
    count: "Lecturas",
    oldest: "La más antigua",
    states: {
      PENDING: "En espera",
      SENDING: "Enviándose",
      FAILED: "Se reintentará",
      DEAD: "Abandonadas",
      SUCCESS: "Entregadas",
    },
    one: {
      PENDING: "en espera",
      SENDING: "enviándose",
      FAILED: "se reintentará",
      DEAD: "abandonada",
      SUCCESS: "entregada",
    },
    empty: "No hay nada en espera.",
  },
  cameras: {
    title: "Cámaras",
    serial: "Cámara",
    lastReading: "Última lectura",
    rate: "Esta hora / anterior",
    fewer: "Mostrar menos",
    all: (count) => `Mostrar las ${n(count)}`,
    usual: (count) => `lo habitual ${n(count)}`,
    lastSent: "Último envío",
    clock: "Reloj",
    clockFine: "en hora",
    clockFast: (span) => `adelanta ${span}`,
    clockSlow: (span) => `atrasa ${span}`,
    off: "desactivada",
    none: "No hay ninguna cámara dada de alta.",
  },
  endpoints: {
    title: "Servicios de la policía",
    name: "Servicio",
    state: "Estado",
    open: "funciona",
    idle: "sin usar todavía",
    paused: "en pausa",
    kinds: {
      unreachable: "no se alcanza",
      unanswered: "no responde",
      misconfigured: "rechaza nuestro certificado, reloj o dirección",
    },
    answers: "Responde en",
    lastAccepted: "Última aceptada",
    default: "por defecto",
    none: "No hay ningún servicio de la policía configurado.",
  },
  certificates: {
    title: "Certificados",
    municipality: "Municipio",
    subject: "Emitido a",
    ends: "Válido hasta",
    left: "Quedan",
    days,
    over: "caducado",
    none: "No hay ningún certificado en uso.",
    import: "Importar un certificado",
    drop: "Suelte aquí el archivo .pfx o .p12",
    choose: "Elegir un archivo",
    chosen: (name) => `Archivo: ${name}`,
    password: "Contraseña del archivo",
    forMunicipality: "Para el municipio",
    submit: "Importar",
    done: (municipality) => `El certificado de ${municipality} ya está en uso. Se envía lo que lo esperaba.`,
    staged: (municipality) =>
      `El certificado de ${municipality} queda preparado: se usará solo cuando empiece a ser válido.`,
    notPfx: "No es un archivo PFX: su nombre acaba en .pfx o .p12.",
    tooLarge: "El archivo pasa de 1 MB: no es un archivo PFX.",
  },
  machine: {
    title: "Máquina",
    disk: "Disco",
    diskFree: (free, total) => `${free} libres de ${total}`,
    clock: "Reloj",
    clockUnknown: "todavía no comparado con el de la policía",
    clockFine: (span) => `en hora (a ${span} del de la policía)`,
    clockAhead: (span) => `adelanta ${span} al de la policía`,
    clockBehind: (span) => `atrasa ${span} respecto al de la policía`,
    services: "Servicios",
    serviceStates: { running: "en marcha", stalled: "no responde", dead: "caído" },
    version: "Versión",
    store: "Base de datos",
  },
  attention: {
    "service-missing": (f) => ({
      text: `${task(f)} no está en marcha: ${harm(f)}.`,
      mend: "Arránquelo en la máquina.",
    }),
    "service-dead": (f) => ({
      text: `${task(f)} se ha caído: ${harm(f)}.`,
      mend: "Arránquelo de nuevo y mire su registro.",
    }),
    "service-stalled": (f, span) => ({
      text: `${task(f)} no responde desde hace ${span(Number(f["silentMs"]))}.`,
      mend: "Mire su registro.",
    }),
    "sender-off": () => ({
      text: "El envío está desactivado: las lecturas esperan.",
      mend: "Ponga SENDER_ENABLED=true y reinicie el servicio.",
    }),
    "balance-off": (f) => ({
      text: `Balance: ${readings(Math.abs(Number(f["difference"])))} ${Number(f["difference"]) > 0 ? "de menos" : "de más"}.`,
      mend: "Conserve el registro y avise.",
    }),
    "disk-full": (f, _span, size) => ({
      text: `El disco está lleno (${size(Number(f["freeBytes"]))} libres): las cámaras tienen que guardar sus lecturas.`,
      mend: "Libere espacio en el disco.",
    }),
    "disk-low": (f, _span, size) => ({
      text: `El disco está casi lleno (${size(Number(f["freeBytes"]))} libres).`,
      mend: "Libere espacio en el disco.",
    }),
    "clock-off": (f, span) => ({
      text: `El reloj de esta máquina ${Number(f["offsetMs"]) > 0 ? "atrasa" : "adelanta"} ${span(Math.abs(Number(f["offsetMs"])))} respecto al de la policía, que rechaza lo que tiene 5 minutos o está 1 minuto en el futuro.`,
      mend: "Deje que la máquina ponga en hora su reloj por sí sola.",
    }),
    "endpoint-paused": (f) => ({
      text: `${f["endpoint"]} está en pausa: ${pauseText(f)}`,
      mend:
        f["kind"] === "misconfigured"
          ? "Revise la dirección del servicio."
          : "Revise la red de esta máquina. Se vuelve a intentar solo y no se pierde ninguna lectura.",
    }),
    "route-paused": (f) => ({
      text: `${f["endpoint"]} no acepta uno de nuestros certificados: ${f["detail"]}.`,
      mend: "Importe el certificado vigente.",
    }),
    "certificate-over": (f) => ({
      text: `El certificado de ${f["municipality"]} ha caducado.`,
      mend: "Importe el nuevo.",
    }),
    "certificate-ends": (f) => ({
      text: `El certificado de ${f["municipality"]} caduca en ${days(Number(f["daysLeft"]))}.`,
      mend: "Pida el nuevo e impórtelo.",
    }),
    "certificate-missing": (f) => ({
      text: `${f["municipality"]} tiene cámaras pero no certificado: sus lecturas no se pueden firmar.`,
      mend: "Importe su certificado.",
    }),
    "certificate-refused": (f) => ({
      text: `El certificado siguiente de ${f["municipality"]} fue rechazado; vuelve a firmar el anterior: ${f["detail"]}.`,
      mend: "Pregunte a quien lo emitió y prepare otro.",
    }),
    dead: (f) => {
      const { text, mend } = es.reason(String(f["reason"]));
      return { text: `${readings(Number(f["count"]))} sin poder entregar: ${text}`, mend };
    },
    "dead-others": (f) => ({
      text: `Hay más lecturas sin poder entregar, por ${f["reasons"] === 1 ? "otro motivo" : `otros ${n(Number(f["reasons"]))} motivos`}.`,
      mend: "Mírelas en la cola.",
    }),
    "waiting-old": (f, span) => ({
      text: `La lectura más antigua en espera llegó hace ${span(Number(f["ageMs"]))}.`,
      mend: "Mire arriba qué la retiene; si no hay motivo, mírela en la cola.",
    }),
    "camera-silent": (f, _span, _size, some) => ({
      text: `Ninguna lectura desde hace un día de ${some(f["serials"])}.`,
      mend: "Revise la cámara, su corriente y su red.",
    }),
    "camera-never": (f, _span, _size, some) => ({
      text: `Nunca ha llegado una lectura de ${some(f["serials"])}.`,
      mend: "Revise en la cámara la dirección y el puerto de esta máquina, y aquí su número de serie.",
    }),
    "camera-none": () => ({
      text: "No hay ninguna cámara dada de alta.",
      mend: "Dé de alta la primera en la máquina.",
    }),
    "held-unregistered": (f, _span, _size, some) => ({
      text: `Se retienen lecturas de cámaras sin dar de alta: ${some(f["serials"])}.`,
      mend: "Délas de alta: lo retenido se entrega entonces.",
    }),
    "held-malformed": (f) => ({
      text: `${messages(Number(f["messages"]))} sin poder entender.`,
      mend: "Revise qué campos envía la cámara.",
    }),
  },
  cure: {
    retry: "Enviar de nuevo",
    certificate: "Importar certificado",
    register: "Dar de alta",
    look: "Ver",
    command: "En la máquina:",
    retried: (count) =>
      count === 0
        ? "No había nada que enviar de nuevo."
        : `${readings(count)} se ${count === 1 ? "envía" : "envían"} ahora de nuevo.`,
  },
  messages: {
    title: "Cola",
    filter: "Cuáles",
    anyState: "Todos los estados",
    anyCamera: "Todas las cámaras",
    anyReason: "Todos los motivos",
    reason: "Motivo",
    number: "Mensaje",
    plate: "Matrícula",
    taken: "Tomada",
    attempts: "Intentos",
    why: "Por qué",
    retryAll: "Enviar estas de nuevo",
    discardAll: "Descartar estas",
    empty: "No hay ninguna. Lo entregado se borra.",
    discarded: (count) => `${readings(count)} ${count === 1 ? "descartada y borrada" : "descartadas y borradas"}.`,
    discardSure: (count, more) =>
      `¿Descartar ${more ? "más de " : ""}${readings(count)} con sus fotos? Se borran sin entregarse. No se puede deshacer.`,
  },
  message: {
    title: (id) => `Mensaje ${id}`,
    gone: "Ya no está en la cola.",
    goneHelp: "Se entregó a la policía, o se descartó. En ambos casos la matrícula y las fotos están borradas.",
    camera: "Cámara",
    municipality: "Municipio",
    endpoint: "Servicio de la policía",
    plate: "Matrícula",
    showPlate: "Mostrar la matrícula",
    showPictures: "Mostrar las fotos",
    audited: "Quién mira queda anotado en el registro de auditoría.",
    pictures: "Fotos",
    ocr: "Foto de la matrícula",
    ctx: "Foto de contexto",
    broken: "El navegador no puede mostrar esta foto. Se entrega como la envió la cámara.",
    noPicture: "La cámara no envió ninguna.",
    life: "Su vida",
    taken: "Tomada por la cámara",
    takenArrival: "Tomada (la cámara no dio una hora válida: cuenta la de llegada)",
    takenAmbiguous: "Tomada (en la hora que ocurre dos veces: cuenta la primera)",
    received: "Recibida y a salvo en el disco",
    waits: "Espera a ser enviada",
    sending: "Se está enviando",
    givenUp: "Abandonada",
    noAttempts: "Todavía no se ha enviado.",
    answered: "tras",
    discard: "Descartar",
    discardSure: "¿Descartar esta lectura con sus fotos? Se borra sin entregarse. No se puede deshacer.",
    confidence: "Fiabilidad",
    country: "País",
    lane: "Carril",
    direction: "Sentido",
    nextTry: (at) => `Se reintentará a las ${at}`,
    outcomes: {
      accepted: "Aceptada por la policía",
      rejected: "Rechazada por la policía",
      unreachable: "No se alcanzó a la policía",
      unanswered: "La policía no respondió",
      misconfigured: "La policía rechazó nuestro certificado, reloj o dirección",
    },
  },
  held: {
    title: "Cuarentena",
    unregistered: "Cámaras sin dar de alta",
    unregisteredHelp: "Se guarda lo que enviaron. Cuando se da de alta la cámara, se entrega.",
    malformed: "Mensajes que no se han podido entender",
    malformedHelp: "Revise qué campos envía la cámara. Después, lo retenido se puede volver a tomar o borrar.",
    readerCode: "Código de lector",
    readerHelp: "codiLector, lo da la policía, 16 caracteres como máximo",
    description: "Descripción (a su gusto)",
    empty: "No hay nada retenido.",
    reason: "Qué pasa",
    from: "Desde",
    received: "Recibido",
    size: "Tamaño",
    again: "Volver a tomar",
    drop: "Borrar",
    waiting: (count) => `${messages(count)} ${count === 1 ? "retenido" : "retenidos"}`,
    registered: (serial) => `La cámara ${serial} está dada de alta. Lo retenido se está tomando.`,
    results: (results) => `Hecho: ${results}.`,
    dropSure: (count) => `¿Borrar ${messages(count)}? No se puede deshacer.`,
    dropped: (count) => `${messages(count)} ${count === 1 ? "borrado" : "borrados"}.`,
    outcomes: {
      queued: "en la cola",
      duplicate: "ya conocida",
      inactive: "cámara desactivada",
      unregistered: "cámara sin dar de alta",
      "not-read": "sin matrícula",
      quarantined: "sigue sin entenderse",
      malformed: "sigue sin entenderse",
      gone: "contenido no guardado",
    },
  },
  reason: (reason) => {
    const known: Record<string, { text: string; mend: string }> = {
      NO_IMAGE_AVAILABLE_OCR: {
        text: "la cámara no envió la foto de la matrícula, que la policía exige.",
        mend: "Haga que la cámara envíe IMAGE_OCR. Lo que llegó sin ella no se puede entregar: descártelo.",
      },
      NO_IMAGE_FILE_OCR: {
        text: "la foto de la matrícula ya no está en el disco.",
        mend: "No se puede entregar: descártelo.",
      },
      NO_IMAGE_FILE_CTX: {
        text: "la foto de contexto ya no está en el disco.",
        mend: "No se puede entregar: descártelo.",
      },
      CERTIFICADO_NO_CONFIGURADO: {
        text: "el municipio no tiene certificado.",
        mend: "Impórtelo: lo que lo espera se envía entonces solo.",
      },
      CERTIFICADO_INCOMPLETO: {
        text: "faltan archivos del certificado o no casan entre sí.",
        mend: "Impórtelo de nuevo: lo que lo espera se envía entonces solo.",
      },
      ENDPOINT_URL_NO_CONFIGURADA: {
        text: "el municipio no tiene asignado un servicio de la policía.",
        mend: "Asígnelo: lo que lo espera se envía entonces solo.",
      },
      MAX_REINTENTOS_AGOTADOS: {
        text: "la policía no respondió, aunque sí a otras lecturas.",
        mend: "Envíe de nuevo. Si se repite, pregunte a la policía con la hora de los intentos.",
      },
    };
    const [head = ""] = reason.split(/[:\s]/);
    if (known[head] !== undefined) return known[head];
    if (head.startsWith("codiRetorn=")) {
      return {
        text: `la policía responde con un rechazo, código ${head.slice("codiRetorn=".length)}.`,
        mend: "Pregunte a la policía qué significa, corríjalo y envíe de nuevo.",
      };
    }
    if (head === "CAMPO_NO_VALIDO") {
      return {
        text: `un campo no cabe en lo que admite la policía (${reason.slice(16)}).`,
        mend: "Corríjalo en la cámara o en su alta y envíe de nuevo.",
      };
    }
    return { text: reason, mend: "Mire una de ellas, corrija la causa y envíe de nuevo." };
  },
};

function pauseText(facts: Facts): string {
  const kind =
    { unreachable: "no se alcanza", unanswered: "no responde", misconfigured: "nos rechaza" }[String(facts["kind"])] ??
    "por un motivo desconocido";
  return `${kind} (${facts["detail"]}).`;
}
