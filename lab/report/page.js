// Zooming and hovering only: everything is on the page without it.
(() => {
  const charts = document.querySelector('.charts');
  if (!charts) return;
  const data = JSON.parse(document.getElementById('data').textContent);
  const from = Number(charts.dataset.from), to = Number(charts.dataset.to);
  const bad = charts.dataset.bad === '' ? null : Number(charts.dataset.bad);
  const drawings = [...charts.querySelectorAll('svg[viewBox]')].map(
    svg => ({ svg, height: svg.viewBox.baseVal.height, width: svg.viewBox.baseVal.width }));
  const axes = [...charts.querySelectorAll('.row.axis .plot')];
  const output = document.querySelector('.tools output');
  const plot = charts.querySelector('.row:not(.axis) .plot');
  let start = 0, scale = 1;
  const seconds = (fraction, digits) => (from + fraction * (to - from)).toFixed(digits);

  function ticks() {
    const span = (to - from) / scale;
    const rough = span / Math.max(3, Math.min(10, plot.clientWidth / 90));
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const low = from + start * (to - from);
    for (const axis of axes) {
      axis.replaceChildren();
      for (let i = Math.ceil(low / step); i * step <= low + span * 1.0001; i++) {
        const tick = document.createElement('span');
        const place = (i * step - low) / span;
        tick.className = 'tick' + (place < 0.02 ? ' first' : place > 0.96 ? ' last' : '');
        tick.style.setProperty('--x', (i * step - from) / (to - from));
        tick.textContent = (i * step).toFixed(digits) + ' s';
        axis.append(tick);
      }
    }
  }

  function show(newStart, newScale) {
    scale = Math.min(Math.max(newScale, 1), 5000);
    start = Math.min(Math.max(newStart, 0), 1 - 1 / scale);
    charts.style.setProperty('--a', start);
    charts.style.setProperty('--s', scale);
    for (const { svg, height, width } of drawings)
      svg.setAttribute('viewBox', `${start * width} 0 ${width / scale} ${height}`);
    output.textContent = scale === 1 ? '' :
      `${seconds(start, 3)} s to ${seconds(start + 1 / scale, 3)} s`;
    ticks();
  }

  function around(seconds_, width) {
    const newScale = Math.max(1, (to - from) / width);
    show((seconds_ - from) / (to - from) - 0.5 / newScale, newScale);
  }

  const actions = {
    all: () => show(0, 1),
    bad: () => { around(bad, Math.min(2, (to - from) / 4)); charts.scrollIntoView({ block: 'nearest' }); },
    left: () => show(start - 0.5 / scale, scale),
    right: () => show(start + 0.5 / scale, scale),
    in: () => show(start + 0.25 / scale, scale * 2),
    out: () => show(start - 0.5 / scale, scale / 2),
  };
  const tools = document.querySelector('.tools');
  tools.hidden = false;
  for (const button of tools.querySelectorAll('button')) {
    if (button.dataset.do === 'bad' && bad === null) button.remove();
    else button.addEventListener('click', actions[button.dataset.do]);
  }
  const jump = () => { if (bad !== null && location.hash === '#first-bad') actions.bad(); };
  addEventListener('hashchange', jump);
  for (const link of document.querySelectorAll('a[href="#first-bad"]')) link.addEventListener('click', jump);

  const cursor = charts.querySelector('.cursor');
  const tip = document.querySelector('.tip');
  let dragged = null;
  const fractionAt = event => {
    const box = plot.getBoundingClientRect();
    return (event.clientX - box.left) / box.width;
  };
  charts.addEventListener('pointerdown', event => {
    if (event.button === 0 && event.pointerType === 'mouse') dragged = { x: fractionAt(event), start };
  });
  addEventListener('pointerup', () => { dragged = null; });
  charts.addEventListener('dblclick', event => show(start + fractionAt(event) / scale - 0.25 / scale, scale * 2));
  charts.addEventListener('pointermove', event => {
    const at = fractionAt(event);
    if (dragged && scale > 1) show(dragged.start - (at - dragged.x) / scale, scale);
    if (at < 0 || at > 1) { cursor.hidden = tip.hidden = true; return; }
    const moment = start + at / scale;
    cursor.hidden = false;
    cursor.style.setProperty('--x', moment);
    let text = seconds(moment, 4) + ' s';
    const latencies = event.target.closest('.row.latency .plot');
    if (latencies) {
      const box = latencies.getBoundingClientRect();
      let best = 64;
      for (const [x, y, what] of data.dots) {
        const dx = ((x / 10000 - start) * scale - at) * box.width, dy = y - (event.clientY - box.top);
        if (dx * dx + dy * dy < best) { best = dx * dx + dy * dy; text = what; }
      }
    }
    tip.textContent = text;
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8) + 'px';
  });
  charts.addEventListener('pointerleave', () => { cursor.hidden = tip.hidden = true; });
  addEventListener('resize', ticks);
  ticks();
  jump();
})();
