import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** What is wrong with a camera's message, as `quarantine` and `listen` say it, and what `listen` says of one that is right. */
export const HEARD: Readonly<Record<string, Translation>> = {
  // Why a message is held.
  "no camera of this serial is registered": said("càmera sense donar d'alta", "cámara sin dar de alta"),
  "{@1} is missing": said("falta {@1}", "falta {@1}"),
  "{@1} has {#2} characters (at most {#3})": said(
    "{@1} té {#2} caràcters (com a molt {#3})",
    "{@1} tiene {#2} caracteres (como mucho {#3})",
  ),
  "{@1} holds control characters": said("{@1} té caràcters de control", "{@1} tiene caracteres de control"),
  "{@1} is not base64 ({#2} characters)": said(
    "{@1} no és base64 ({#2} caràcters)",
    "{@1} no es base64 ({#2} caracteres)",
  ),
  "{@1} is not a JPEG ({#2} bytes that do not begin with FF D8)": said(
    "{@1} no és un JPEG ({#2} bytes que no comencen amb FF D8)",
    "{@1} no es un JPEG ({#2} bytes que no empiezan con FF D8)",
  ),
  "{@1} is a JPEG that was cut off ({#2} bytes without FF D9)": said(
    "{@1} és un JPEG tallat ({#2} bytes sense FF D9)",
    "{@1} es un JPEG cortado ({#2} bytes sin FF D9)",
  ),
  "{#1} bytes without the pictures (at most {#2})": said(
    "{#1} bytes sense comptar les fotos (com a molt {#2})",
    "{#1} bytes sin contar las fotos (como mucho {#2})",
  ),
  "a document type or entity is declared": said(
    "s'hi declara un tipus de document o una entitat",
    "se declara un tipo de documento o una entidad",
  ),
  "the declared encoding is not known ({1}; known are {2})": said(
    "la codificació declarada no es coneix ({1}; es coneixen {2})",
    "la codificación declarada no se conoce ({1}; se conocen {2})",
  ),
  "not well-formed XML ({1}, line {#2})": said("XML mal format ({1}, línia {#2})", "XML mal formado ({1}, línea {#2})"),
  "not XML that can be read": said("no és XML que es pugui llegir", "no es XML que se pueda leer"),
  "longer than {#1} bytes, the limit for a message": said(
    "fa més de {#1} bytes, el límit d'un missatge",
    "ocupa más de {#1} bytes, el límite de un mensaje",
  ),
  "bytes that begin no message": said("bytes que no comencen cap missatge", "bytes que no empiezan ningún mensaje"),
  "more than {#1} bytes that begin no message": said(
    "més de {#1} bytes que no comencen cap missatge",
    "más de {#1} bytes que no empiezan ningún mensaje",
  ),
  "the connection ended in the middle of a message": said(
    "la connexió es va acabar a mig missatge",
    "la conexión terminó a mitad de un mensaje",
  ),
  "encoded in {1}; only encodings of one byte a character and UTF-8 can be read": said(
    "codificat en {1}; només es poden llegir codificacions d'un byte per caràcter i UTF-8",
    "codificado en {1}; solo se pueden leer codificaciones de un byte por carácter y UTF-8",
  ),
  "cut off by the next message": said("tallat pel missatge següent", "cortado por el mensaje siguiente"),
  "the XML declaration does not end": said("la declaració XML no s'acaba", "la declaración XML no termina"),
  "the root's tag does not end": said("l'etiqueta arrel no s'acaba", "la etiqueta raíz no termina"),
  "the document type does not end": said("el tipus de document no s'acaba", "el tipo de documento no termina"),
  "a binary message of {#1} bytes, over the limit of {#2}": said(
    "un missatge binari de {#1} bytes, per sobre del límit de {#2}",
    "un mensaje binario de {#1} bytes, por encima del límite de {#2}",
  ),
  "not a binary Tattile message": said("no és un missatge binari de Tattile", "no es un mensaje binario de Tattile"),
  "the header says {#1} bytes of data, there are {#2}": said(
    "la capçalera diu {#1} bytes de dades i n'hi ha {#2}",
    "la cabecera dice {#1} bytes de datos y hay {#2}",
  ),
  "the camera reports error {1}": said("la càmera dona l'error {1}", "la cámara da el error {1}"),
  "{#1} bytes behind the last record": said(
    "{#1} bytes darrere de l'últim registre",
    "{#1} bytes detrás del último registro",
  ),
  "record {1} has {2} bytes where the message has {#3} left": said(
    "el registre {1} té {2} bytes i al missatge n'hi queden {#3}",
    "el registro {1} tiene {2} bytes y al mensaje le quedan {#3}",
  ),
  "not JSON": said("no és JSON", "no es JSON"),
  "a reading is not an object": said("una lectura no és un objecte", "una lectura no es un objeto"),
  "TimeStamp is not YYYY/MM/DD HH:MM:SS.mmm ({#1} characters)": said(
    "TimeStamp no és YYYY/MM/DD HH:MM:SS.mmm ({#1} caràcters)",
    "TimeStamp no es YYYY/MM/DD HH:MM:SS.mmm ({#1} caracteres)",
  ),
  "content was not kept": said("contingut no guardat", "contenido no guardado"),
  yes: said("sí", "sí"),
  "no: {~1}": said("no: {~1}", "no: {~1}"),

  // What became of it when it was taken in again.
  "{#1} queued": said("{#1} a la cua", "{#1} en la cola"),
  "{#1} duplicate": said("{#1} ja coneguda", "{#1} ya conocida"),
  "{#1} inactive": said("{#1} de càmera desactivada", "{#1} de cámara desactivada"),
  "{#1} unregistered": said("{#1} de càmera sense donar d'alta", "{#1} de cámara sin dar de alta"),
  "{#1} not-read": said("{#1} sense matrícula", "{#1} sin matrícula"),
  "{#1} quarantined": said("{#1} continua retingut", "{#1} sigue retenido"),
  "{#1} gone": said("{#1} amb el contingut no guardat", "{#1} con el contenido no guardado"),

  // What listen shows of one message, and what should be mended in the camera.
  "(no serial)": said("(sense sèrie)", "(sin serie)"),
  "no plate": said("sense matrícula", "sin matrícula"),
  "not read": said("no llegida", "no leída"),
  "score {#1}": said("fiabilitat {#1}", "fiabilidad {#1}"),
  "plate {#1} {2}": said("matrícula {#1} {2}", "matrícula {#1} {2}"),
  "scene {#1} {2}": said("context {#1} {2}", "contexto {#1} {2}"),
  "lane {1}": said("carril {1}", "carril {1}"),
  "clock right": said("rellotge a l'hora", "reloj en hora"),
  "clock {1} ahead": said("rellotge {1} avançat", "reloj {1} adelantado"),
  "clock {1} behind": said("rellotge {1} endarrerit", "reloj {1} atrasado"),
  "(again)": said("(una altra vegada)", "(otra vez)"),
  "reader {1}": said("lector {1}", "lector {1}"),
  "from {1}": said("des de {1}", "desde {1}"),
  "not understood: {~1}": said("no s'entén: {~1}", "no se entiende: {~1}"),
  "not registered: its readings would be held": said(
    "sense donar d'alta: les seves lectures quedarien retingudes",
    "sin dar de alta: sus lecturas quedarían retenidas",
  ),
  "no picture of the plate: switch IMAGE_OCR on": said(
    "sense foto de la matrícula: activeu IMAGE_OCR",
    "sin foto de la matrícula: active IMAGE_OCR",
  ),
  "no picture of the scene (IMAGE_CTX)": said("sense foto de context (IMAGE_CTX)", "sin foto de contexto (IMAGE_CTX)"),
  "no usable time: switch DATE and TIME on": said(
    "sense una hora vàlida: activeu DATE i TIME",
    "sin una hora válida: active DATE y TIME",
  ),
  "its clock is {1} ahead: set NTP and its zone (a replay is behind too)": said(
    "el seu rellotge va {1} avançat: poseu-hi NTP i la zona (un reenviament també va endarrerit)",
    "su reloj va {1} adelantado: ponga NTP y su zona (un reenvío también va atrasado)",
  ),
  "its clock is {1} behind: set NTP and its zone (a replay is behind too)": said(
    "el seu rellotge va {1} endarrerit: poseu-hi NTP i la zona (un reenviament també va endarrerit)",
    "su reloj va {1} atrasado: ponga NTP y su zona (un reenvío también va atrasado)",
  ),
  "tags not known: {1}": said("etiquetes desconegudes: {1}", "etiquetas desconocidas: {1}"),
  "listen on TRANSIT_PORT, where {~1}, and store nothing of it": said(
    "escoltar a TRANSIT_PORT, on {~1}, i no desar-ne res",
    "escuchar en TRANSIT_PORT, donde {~1}, y no guardar nada de ello",
  ),
  "{#1} registered camera sends": said("envia {#1} càmera donada d'alta", "envía {#1} cámara dada de alta"),
  "{#1} registered cameras send": said("envien {#1} càmeres donades d'alta", "envían {#1} cámaras dadas de alta"),
};
