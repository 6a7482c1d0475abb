const FIRST_EVENTS = 12;
const MORE_EVENTS = 100;
const MOST_EVENTS = 500;

/** The newest first. */
let events = [];
let mayHaveOlder = false;

/** Fills the list, with what came by the stream meanwhile on top. */
async function fetchEvents() {
  const data = await eventsFrom(`limit=${FIRST_EVENTS}`);
  if (!data) return;
  const newest = data[0]?.id ?? 0;
  events = [...events.filter((event) => event.id > newest), ...data];
  mayHaveOlder = data.length === FIRST_EVENTS;
  renderEvents();
}

async function olderEvents() {
  const data = await eventsFrom(`limit=${MORE_EVENTS}&before=${events.at(-1).id}`);
  if (!data) return;
  events.push(...data);
  mayHaveOlder = data.length === MORE_EVENTS && events.length < MOST_EVENTS;
  renderEvents();
}

async function eventsFrom(query) {
  try {
    const { data } = await call('GET', `/connection/log?${query}`);
    say(at('events-error'), '');
    return data;
  } catch (error) {
    if (!keyRefused(error)) say(at('events-error'), error.message);
    return null;
  }
}

function addEvent(event) {
  if (events.length && event.id <= events[0].id) return;
  events.unshift(event);
  events.length = Math.min(events.length, MOST_EVENTS);
  renderEvents();
}

function forgetEvents() {
  events = [];
  mayHaveOlder = false;
  say(at('events-error'), '');
  renderEvents();
}

function renderEvents() {
  at('event-list').replaceChildren(...events.map(eventElement));
  show(at('events-none'), events.length === 0);
  show(at('older'), mayHaveOlder);
}

function eventElement(event) {
  const item = document.createElement('li');
  const told = document.createElement('span');
  if (event.severity === 'warning' || event.severity === 'error') {
    item.className = event.severity;
    const severity = document.createElement('span');
    severity.className = 'unseen';
    severity.lang = language;
    severity.textContent = `${word(event.severity)} `;
    told.append(severity);
  }
  told.append(event.message);
  const when = document.createElement('time');
  when.className = 'when';
  when.lang = language;
  setTime(when, event.at, moment(event.at));
  item.append(told, when);
  return item;
}
