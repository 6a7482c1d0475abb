/** How far this machine's clock is behind walinkd's, in milliseconds. */
let skew = 0;

/** Learns it from an answer. Less than two seconds are the header's rounding. */
function setClock(response) {
  const date = Date.parse(response.headers.get('date'));
  if (Number.isNaN(date)) return;
  const difference = date - Date.now();
  skew = Math.abs(difference) < 2000 ? 0 : difference;
}

/** Milliseconds from now to a moment of walinkd's. */
function until(time) {
  return Date.parse(time) - (Date.now() + skew);
}

/** `0:42`, and `1:02:03` from an hour on. */
function clock(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = two(seconds % 60);
  return hours ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}

/** A moment as people here write it; the day only when it is another one. */
function moment(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? {} : { dateStyle: 'medium' };
  return new Intl.DateTimeFormat(locale(), { ...day, timeStyle: 'medium' }).format(date);
}

const UNITS = [['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];

/** “4 minutes ago”. */
function ago(time) {
  const seconds = Math.min(0, Math.round(until(time) / 1000));
  const [unit, size] = UNITS.find(([, size]) => -seconds >= size) ?? ['second', 1];
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  return format.format(Math.ceil(seconds / size), unit);
}

function setTime(element, time, text) {
  element.dateTime = time;
  say(element, text);
}
