// What must hold on every page, in a real browser against a real hub: Tab comes to everything and out again, and the focus is always
// seen; nothing moves for those who want no motion; nothing is cut off at 320 pixels or at 200 % zoom.
//
//   TRIBUTARY_BIN=build/release/bin/tributary node tests/browser/everywhere.mjs
import { furnish, pages } from './pages.mjs';
import { check, run, show, signUp } from './support.mjs';

// WCAG 1.4.10 and 1.4.4: 1280 pixels at 400 % are 320; 1440 at 200 % are 720.
const kNarrow = [
  { width: 320, height: 640 },
  { width: 720, height: 450 },
];
const kMaxStops = 400;
const kMaxParts = 8;
// A few letters.
const kLeastText = 48;

/** Where the focus is, and what is wrong with how it looks; null where nothing has it. */
const focus = (page) =>
  page.evaluate(() => {
    let here = document.activeElement;
    while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;
    if (!here || here === document.body) return null;
    globalThis.stops ??= new Map();
    if (!globalThis.stops.has(here)) globalThis.stops.set(here, globalThis.stops.size);
    const framed = (one) => {
      if (!one) return false;
      const style = getComputedStyle(one);
      return style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
    };
    // A radio button or a switch is drawn by what stands beside its input; an edge is a line, and gets a wider one.
    const line = here.querySelector?.('.react-flow__edge-path');
    const seen =
      framed(here) ||
      // The parts of a date are marked by the browser itself, within the field.
      here.matches('input[type^="date"]') ||
      (here.matches('input') &&
        (framed(here.nextElementSibling) || framed(here.closest('.mantine-Input-input')))) ||
      here.closest('.cm-editor') !== null ||
      (line && Number.parseFloat(getComputedStyle(line).strokeWidth) > 2);
    const box = here.getBoundingClientRect();
    const inside =
      box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    const what = `<${here.localName}> “${(here.getAttribute('aria-label') || here.labels?.[0]?.textContent || here.textContent || here.outerHTML).trim().slice(0, 60)}”`;
    return { place: globalThis.stops.get(here), what, seen, inside };
  });

/** Tab from the first stop until it comes round: no trap, everything in view and marked. */
async function walk(watched, path) {
  const { page } = watched;
  await page.evaluate(() => {
    globalThis.stops = new Map();
    document.activeElement?.blur();
  });
  let last = -1;
  let stays = 0;
  let count = 0;
  for (; count < kMaxStops; count += 1) {
    await page.keyboard.press('Tab');
    const at = await focus(page);
    // Beyond the last stop is the browser itself.
    if (at === null || at.place < last) break;
    // A date has several parts, each with a stop of its own.
    stays = at.place === last ? stays + 1 : 0;
    check(stays < kMaxParts, `${path}: Tab does not leave ${at.what}.`);
    last = at.place;
    if (!at.seen) watched.problems.push(`${path}: one does not see that ${at.what} has the focus`);
    if (!at.inside) watched.problems.push(`${path}: ${at.what} has the focus out of sight`);
  }
  check(count > 5 && count < kMaxStops, `${path}: Tab made ${count} stops.`);
}

/** What reaches beyond the right edge and cannot be scrolled to within its own frame, or is cut so short that it says nothing. */
const sticksOut = (page) =>
  page.evaluate((least) => {
    const cut = [...document.querySelectorAll('main a, main h1, main h2, main td > *')].find(
      (one) =>
        getComputedStyle(one).overflowX === 'hidden' &&
        one.clientWidth > 1 &&
        one.clientWidth < least &&
        one.scrollWidth > one.clientWidth + 1,
    );
    if (cut) return `“${cut.textContent}” is cut to ${cut.clientWidth} pixels`;
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide <= 0) return null;
    const limit = document.documentElement.clientWidth;
    const scrolls = (one) =>
      one && (getComputedStyle(one).overflowX !== 'visible' || scrolls(one.parentElement));
    const culprits = [...document.querySelectorAll('main *, nav *')].filter(
      (one) => one.getBoundingClientRect().right > limit + 1 && !scrolls(one.parentElement),
    );
    const names = culprits.slice(0, 3).map((one) => `<${one.localName} class="${one.className}">`);
    return `${wide} pixels too wide: ${names.join(', ')}`;
  }, kLeastText);

async function reflow(watched, name) {
  const { page } = watched;
  for (const size of kNarrow) {
    await page.setViewportSize(size);
    const wrong = await sticksOut(page);
    if (wrong) watched.problems.push(`${name} at ${size.width}: ${wrong}`);
    await watched.screenshot(`${name}-${size.width}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** Whoever asks for less motion gets none. */
async function still(watched, name) {
  const moving = await watched.page.evaluate(() =>
    document
      .getAnimations()
      .filter((one) => one.playState === 'running')
      .map((one) => one.effect?.target?.className ?? ''),
  );
  if (moving.length > 0) watched.problems.push(`${name} moves: ${moving.slice(0, 3).join(', ')}`);
}

async function journey(demo, watched) {
  await signUp(watched, demo);
  const furniture = await furnish(demo, watched);
  await watched.page.emulateMedia({ reducedMotion: 'reduce' });
  for (const [name, path] of pages(furniture)) {
    await show(watched, path);
    await still(watched, name);
    await walk(watched, path);
    await reflow(watched, name);
  }
}

run(journey, {
  done: 'Every page: by keyboard, without motion, however narrow.',
  // Maintenance that is not filled in yet has no next time, and the browser logs that.
  expected: /status of 422/,
});
