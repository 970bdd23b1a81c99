import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** What stands inside a sentence or in a column of words, with the places of its values. */
export const PHRASES: Readonly<Record<string, Translation>> = {
  "camera {@1}": said("càmera {@1}", "cámara {@1}"),
  "municipality {@1}": said("municipi {@1}", "municipio {@1}"),
  "endpoint {@1}": said("endpoint {@1}", "endpoint {@1}"),
  "certificate {@1}": said("certificat {@1}", "certificado {@1}"),
  "the rotation of {@1}": said("la renovació de {@1}", "la renovación de {@1}"),
  "{#1} waiting messages": said("{#1} missatges en espera", "{#1} mensajes en espera"),
  "and {#1} more": said("i {#1} més", "y {#1} más"),
  "no certificate in it": said("no hi ha cap certificat", "no hay ningún certificado"),
  "it is not a JPEG": said("no és un JPEG", "no es un JPEG"),
  environment: said("entorn", "entorno"),
  "a whole number from {1} to {2}": said("un nombre enter de {1} a {2}", "un número entero de {1} a {2}"),
  "a whole number of {1} from {2} to {3}": said(
    "un nombre enter de {2} a {3} ({1})",
    "un número entero de {2} a {3} ({1})",
  ),
  "a number of seconds from {1} to {2}, such as 30 or 2.5": said(
    "un nombre de segons de {1} a {2}, com 30 o 2.5",
    "un número de segundos de {1} a {2}, como 30 o 2.5",
  ),
  "a size from {1} to {2}, in bytes or with KiB, MiB or GiB, such as 8MiB": said(
    "una mida de {1} a {2}, en bytes o amb KiB, MiB o GiB, com 8MiB",
    "un tamaño de {1} a {2}, en bytes o con KiB, MiB o GiB, como 8MiB",
  ),
  "true or false (also yes/no, on/off, 1/0)": said(
    "true o false (també yes/no, on/off, 1/0)",
    "true o false (también yes/no, on/off, 1/0)",
  ),
  "one of {1}": said("un de {1}", "uno de {1}"),
  "the path of a folder": said("el camí d'una carpeta", "la ruta de una carpeta"),
  "the path of a file": said("el camí d'un fitxer", "la ruta de un fichero"),
  "an IPv4 or IPv6 address of this machine, or localhost": said(
    "una adreça IPv4 o IPv6 d'aquesta màquina, o localhost",
    "una dirección IPv4 o IPv6 de esta máquina, o localhost",
  ),
  "the name of a time zone, such as Europe/Madrid or UTC": said(
    "el nom d'una zona horària, com Europe/Madrid o UTC",
    "el nombre de una zona horaria, como Europe/Madrid o UTC",
  ),
  "a zone name such as Europe/Madrid or UTC": said(
    "el nom d'una zona horària, com Europe/Madrid o UTC",
    "el nombre de una zona horaria, como Europe/Madrid o UTC",
  ),
  "1 to {1} characters without line breaks": said(
    "d'1 a {1} caràcters sense salts de línia",
    "de 1 a {1} caracteres sin saltos de línea",
  ),
  "1 to 16 characters without blanks, as the police gave it": said(
    "d'1 a 16 caràcters sense espais, tal com l'ha donat la policia",
    "de 1 a 16 caracteres sin espacios, tal como lo dio la policía",
  ),
  "UTM 31N metres with exactly two decimals and at most 8 digits before them, as 431234.50": said(
    "metres UTM 31N amb dos decimals exactes i com a molt 8 xifres abans, com 431234.50",
    "metros UTM 31N con dos decimales exactos y como mucho 8 cifras antes, como 431234.50",
  ),
  'so long ago as 45min, 12h or 7d, or a time as 2026-01-23 or "2026-01-23 10:30"': said(
    'fa quant, com 45min, 12h o 7d, o una data com 2026-01-23 o "2026-01-23 10:30"',
    'hace cuánto, como 45min, 12h o 7d, o una fecha como 2026-01-23 o "2026-01-23 10:30"',
  ),
  "{#1} reading": said("{#1} lectura", "{#1} lectura"),
  "{#1} readings": said("{#1} lectures", "{#1} lecturas"),
  "{#1} stored reading": said("{#1} lectura desada", "{#1} lectura guardada"),
  "{#1} stored readings": said("{#1} lectures desades", "{#1} lecturas guardadas"),
  "{#1} waiting reading": said("{#1} lectura en espera", "{#1} lectura en espera"),
  "{#1} waiting readings": said("{#1} lectures en espera", "{#1} lecturas en espera"),
  "{#1} image": said("{#1} imatge", "{#1} imagen"),
  "{#1} images": said("{#1} imatges", "{#1} imágenes"),
  "{#1} message": said("{#1} missatge", "{#1} mensaje"),
  "{#1} messages": said("{#1} missatges", "{#1} mensajes"),
  "{#1} held message": said("{#1} missatge retingut", "{#1} mensaje retenido"),
  "{#1} held messages": said("{#1} missatges retinguts", "{#1} mensajes retenidos"),
  "{#1} record": said("{#1} registre", "{#1} registro"),
  "{#1} records": said("{#1} registres", "{#1} registros"),
  "{#1} camera": said("{#1} càmera", "{#1} cámara"),
  "{#1} cameras": said("{#1} càmeres", "{#1} cámaras"),
  "{1} ago": said("fa {1}", "hace {1}"),
  "paused: {1}": said("en pausa: {1}", "en pausa: {1}"),
  "over ({1})": said("acabat ({1})", "acabado ({1})"),
  "erase {~1}": said("esborrar {~1}", "borrar {~1}"),
  "erase {~1} unsent, with images": said(
    "esborrar {~1} sense enviar, amb les imatges",
    "borrar {~1} sin enviar, con sus imágenes",
  ),
  "remove camera {1} and erase {~2} and {~3}, unsent": said(
    "treure la càmera {1} i esborrar sense enviar {~2} i {~3}",
    "quitar la cámara {1} y borrar sin enviar {~2} y {~3}",
  ),
  "remove camera {1}": said("treure la càmera {1}", "quitar la cámara {1}"),
  "remove municipality {1}": said("treure el municipi {1}", "quitar el municipio {1}"),
  "remove endpoint {1} ({2})": said("treure l'endpoint {1} ({2})", "quitar el endpoint {1} ({2})"),
  "deliver one reading of camera {1} to {2}": said(
    "lliurar una lectura de la càmera {1} a {2}",
    "entregar una lectura de la cámara {1} a {2}",
  ),
  "restart {1}": said("reiniciar {1}", "reiniciar {1}"),
  "add {~1}": said("afegir {~1}", "añadir {~1}"),
  "change {~1}": said("canviar {~1}", "cambiar {~1}"),
  "remove {~1}": said("treure {~1}", "quitar {~1}"),
  "{1} until {2} ({3})": said("{1} fins al {2} ({3})", "{1} hasta el {2} ({3})"),

  // Certificates.
  added: said("afegit", "añadido"),
  changed: said("canviat", "cambiado"),
  unchanged: said("ja estava així", "ya estaba así"),
  missing: said("hi falta", "falta"),
  "{1} to {2} ({#3} days left)": said("{1} a {2} (queden {#3} dies)", "{1} a {2} (quedan {#3} días)"),
  "{1} ({#2} days left)": said("{1} (queden {#2} dies)", "{1} (quedan {#2} días)"),
  "{1} (the next one)": said("{1} (el pròxim)", "{1} (el próximo)"),
  "{1} (an earlier one, not in use)": said("{1} (un d'anterior, sense ús)", "{1} (uno anterior, sin uso)"),
  "remove {~1} and its key": said("treure {~1} i la seva clau", "quitar {~1} y su clave"),
  "remove {~1}, used by {2}, and its key": said(
    "treure {~1}, que fa servir {2}, i la seva clau",
    "quitar {~1}, que usa {2}, y su clave",
  ),
  "retry {~1}": said("tornar a provar {~1}", "reintentar {~1}"),
  "switch camera {1} off and remove it after {~2} and {~3} that wait": said(
    "desactivar la càmera {1} i treure-la després de {~2} i {~3} en espera",
    "desactivar la cámara {1} y quitarla después de {~2} y {~3} en espera",
  ),
  "remove municipality {1} with {~2}, {~3} and {~4}, unsent": said(
    "treure el municipi {1} amb {~2}, {~3} i {~4}, sense enviar",
    "quitar el municipio {1} con {~2}, {~3} y {~4}, sin enviar",
  ),
  "remove endpoint {1} ({2}) from {3}": said(
    "treure l'endpoint {1} ({2}) de {3}",
    "quitar el endpoint {1} ({2}) de {3}",
  ),
  "revoke the token of {1} ({2})": said(
    "revocar el testimoni d'accés de {1} ({2})",
    "revocar el token de acceso de {1} ({2})",
  ),
  "{#1} pause": said("{#1} pausa", "{#1} pausa"),
  "{#1} pauses": said("{#1} pauses", "{#1} pausas"),
  "paused ({~1}): {~2}": said("en pausa ({~1}): {~2}", "en pausa ({~1}): {~2}"),
  "forget the rotation of {1}": said("oblidar la renovació de {1}", "olvidar la renovación de {1}"),
  tried: said("provat", "probado"),
  "a test message signed with it verifies (no camera with an endpoint to sign one of)": said(
    "un missatge de prova signat amb ell es verifica (no hi ha cap càmera amb endpoint per signar-ne un de seu)",
    "un mensaje de prueba firmado con él se verifica (no hay cámara con endpoint de la que firmar uno)",
  ),
  "a message of camera {1} to {~2} is signed with it and verifies": said(
    "un missatge de la càmera {1} cap a {~2} se signa amb ell i es verifica",
    "un mensaje de la cámara {1} hacia {~2} se firma con él y se verifica",
  ),
  "the default endpoint": said("l'endpoint per defecte", "el endpoint por defecto"),
  "not staged (--dry-run)": said("no s'ha preparat (--dry-run)", "no se ha preparado (--dry-run)"),
  "signs from now on; the earlier one is kept until its first success": said(
    "signa des d'ara; l'anterior es guarda fins al seu primer èxit",
    "firma desde ahora; el anterior se guarda hasta su primer éxito",
  ),
  "staged: signs from {1}, in {2}, by itself": said(
    "preparat: signa des del {1}, d'aquí a {2}, tot sol",
    "preparado: firma desde el {1}, dentro de {2}, solo",
  ),

  // The screens of status and top.
  "{#1} pending, {#2} being sent, {#3} to be tried again, {#4} given up": said(
    "{#1} en espera, {#2} enviant-se, {#3} per reintentar, {#4} sense sortida",
    "{#1} en espera, {#2} enviándose, {#3} por reintentar, {#4} sin salida",
  ),
  "{#1} received, {#2} delivered, {#3} expired, {#4} discarded: {~5}": said(
    "{#1} rebudes, {#2} lliurades, {#3} caducades, {#4} descartades: {~5}",
    "{#1} recibidas, {#2} entregadas, {#3} caducadas, {#4} descartadas: {~5}",
  ),
  "{1} missing": said("en falten {1}", "faltan {1}"),
  "pending {~1}": said("en espera {~1}", "en espera {~1}"),
  "failed {~1}": said("per reintentar {~1}", "por reintentar {~1}"),
  "dead {~1}": said("sense sortida {~1}", "sin salida {~1}"),
  "{1}, schema {2}, answers in {#3} ms: {4}": said(
    "{1}, esquema {2}, respon en {#3} ms: {4}",
    "{1}, esquema {2}, responde en {#3} ms: {4}",
  ),
  "{1}: read {~2}, sent {~3}": said("{1}: llegit {~2}, enviat {~3}", "{1}: leído {~2}, enviado {~3}"),
  "{1}: read {~2}, sent {~3}, off": said(
    "{1}: llegit {~2}, enviat {~3}, desactivada",
    "{1}: leído {~2}, enviado {~3}, desactivada",
  ),
  "{#1}, of which {#2} read something within an hour": said(
    "{#1}, de les quals {#2} han llegit alguna cosa en una hora",
    "{#1}, de las que {#2} han leído algo en una hora",
  ),
  "last reading {~1}, last sent {~2}": said(
    "última lectura {~1}, últim enviament {~2}",
    "última lectura {~1}, último envío {~2}",
  ),
  "{1}: {~2}, last accepted {~3}": said("{1}: {~2}, últim acceptat {~3}", "{1}: {~2}, último aceptado {~3}"),
  "open, answers in {#1} ms": said("obert, respon en {#1} ms", "abierto, responde en {#1} ms"),
  "paused ({1})": said("en pausa ({1})", "en pausa ({1})"),
  "paused for {~1}": said("en pausa per a {~1}", "en pausa para {~1}"),
  "{#1} certificate": said("{#1} certificat", "{#1} certificado"),
  "{#1} certificates": said("{#1} certificats", "{#1} certificados"),
  "{1}: no end known": said("{1}: no se'n sap el final", "{1}: no se sabe su final"),
  "{1}: run out": said("{1}: caducat", "{1}: caducado"),
  "{1}: {#2} day left": said("{1}: queda {#2} dia", "{1}: queda {#2} día"),
  "{1}: {#2} days left": said("{1}: queden {#2} dies", "{1}: quedan {#2} días"),
  "{1} free of {2}": said("{1} lliures de {2}", "{1} libres de {2}"),
  "{1} of {2} used": said("{1} de {2} ocupats", "{1} de {2} ocupados"),
  "{1} of {#2} core": said("{1} de {#2} nucli", "{1} de {#2} núcleo"),
  "{1} of {#2} cores": said("{1} de {#2} nuclis", "{1} de {#2} núcleos"),
  "in {1}, out {2}": said("entra {1}, surt {2}", "entra {1}, sale {2}"),
  "in {1}, delivered {2}": said("entren {1}, es lliuren {2}", "entran {1}, se entregan {2}"),
  "{1} s behind the police": said("{1} s per darrere de la policia", "{1} s por detrás de la policía"),
  "{1} s ahead of the police": said("{1} s per davant de la policia", "{1} s por delante de la policía"),
  "not now: {1}": said("ara no: {1}", "ahora no: {1}"),

  // What the network or TLS says.
  "the server's certificate has expired": said(
    "el certificat del servidor ha caducat",
    "el certificado del servidor ha caducado",
  ),
  "the server's certificate has expired ({1})": said(
    "el certificat del servidor ha caducat ({1})",
    "el certificado del servidor ha caducado ({1})",
  ),
  "the server's certificate is not valid yet: check this machine's clock": said(
    "el certificat del servidor encara no val: mireu el rellotge d'aquesta màquina",
    "el certificado del servidor aún no vale: mire el reloj de esta máquina",
  ),
  "the server's certificate is not valid yet: check this machine's clock ({1})": said(
    "el certificat del servidor encara no val: mireu el rellotge d'aquesta màquina ({1})",
    "el certificado del servidor aún no vale: mire el reloj de esta máquina ({1})",
  ),
  "the server's certificate is for another name": said(
    "el certificat del servidor és per a un altre nom",
    "el certificado del servidor es para otro nombre",
  ),
  "the server's certificate is for another name ({1})": said(
    "el certificat del servidor és per a un altre nom ({1})",
    "el certificado del servidor es para otro nombre ({1})",
  ),
  "the server's certificate is self-signed: give its CA file": said(
    "el certificat del servidor és signat per ell mateix: doneu-ne el fitxer CA",
    "el certificado del servidor está autofirmado: dé su fichero CA",
  ),
  "the server's certificate is self-signed: give its CA file ({1})": said(
    "el certificat del servidor és signat per ell mateix: doneu-ne el fitxer CA ({1})",
    "el certificado del servidor está autofirmado: dé su fichero CA ({1})",
  ),
  "the server's certificate is from an unknown authority: give its CA file": said(
    "el certificat del servidor és d'una autoritat desconeguda: doneu-ne el fitxer CA",
    "el certificado del servidor es de una autoridad desconocida: dé su fichero CA",
  ),
  "the server's certificate is from an unknown authority: give its CA file ({1})": said(
    "el certificat del servidor és d'una autoritat desconeguda: doneu-ne el fitxer CA ({1})",
    "el certificado del servidor es de una autoridad desconocida: dé su fichero CA ({1})",
  ),
  "the server's certificate has a wrong signature": said(
    "la signatura del certificat del servidor no és bona",
    "la firma del certificado del servidor no es buena",
  ),
  "the server's certificate has a wrong signature ({1})": said(
    "la signatura del certificat del servidor no és bona ({1})",
    "la firma del certificado del servidor no es buena ({1})",
  ),
  "the server's certificate is revoked": said(
    "el certificat del servidor està revocat",
    "el certificado del servidor está revocado",
  ),
  "the server's certificate is revoked ({1})": said(
    "el certificat del servidor està revocat ({1})",
    "el certificado del servidor está revocado ({1})",
  ),
  "the connection was refused": said("connexió refusada", "conexión rechazada"),
  "the connection was refused ({1})": said("connexió refusada ({1})", "conexión rechazada ({1})"),
  "the name is not known": said("aquest nom no es coneix", "ese nombre no se conoce"),
  "the name is not known ({1})": said("aquest nom no es coneix ({1})", "ese nombre no se conoce ({1})"),
  "the name could not be looked up": said("el nom no s'ha pogut buscar", "el nombre no se ha podido buscar"),
  "the name could not be looked up ({1})": said(
    "el nom no s'ha pogut buscar ({1})",
    "el nombre no se ha podido buscar ({1})",
  ),
  "no route to the host": said("no hi ha camí fins a la màquina", "no hay camino hasta la máquina"),
  "no route to the host ({1})": said("no hi ha camí fins a la màquina ({1})", "no hay camino hasta la máquina ({1})"),
  "no route to the network": said("no hi ha camí fins a la xarxa", "no hay camino hasta la red"),
  "no route to the network ({1})": said("no hi ha camí fins a la xarxa ({1})", "no hay camino hasta la red ({1})"),
  "no connection in time": said("no s'ha connectat a temps", "no se ha conectado a tiempo"),
  "no connection in time ({1})": said("no s'ha connectat a temps ({1})", "no se ha conectado a tiempo ({1})"),
  "the answer is not HTTP": said("la resposta no és HTTP", "la respuesta no es HTTP"),
  "the answer is not HTTP ({1})": said("la resposta no és HTTP ({1})", "la respuesta no es HTTP ({1})"),
  "the connection was closed without a whole answer": said(
    "s'ha tallat la connexió sense resposta sencera",
    "se cortó la conexión sin respuesta entera",
  ),
  "the connection was closed without a whole answer ({1})": said(
    "s'ha tallat la connexió sense resposta sencera ({1})",
    "se cortó la conexión sin respuesta entera ({1})",
  ),
  "the connection broke before anything was sent": said(
    "s'ha tallat la connexió abans d'enviar res",
    "se cortó la conexión antes de enviar nada",
  ),
  "the connection broke before anything was sent ({1})": said(
    "s'ha tallat la connexió abans d'enviar res ({1})",
    "se cortó la conexión antes de enviar nada ({1})",
  ),
  "no whole answer before the deadline": said("sense resposta sencera a temps", "sin respuesta entera a tiempo"),
  "no connection before the deadline": said("no s'ha connectat a temps", "no se ha conectado a tiempo"),
};
