"""Where the browser is, and what the tests that look at pages share."""

from __future__ import annotations

import shutil

#: Chromium or Chrome, None where neither is installed.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: Names that would run something, were they taken for markup, each in another place of the page.
HOSTILE = (
    '<img src=x onerror="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    '" onmouseover="window.hacked = 1" x="',
    "'>&lt;b&amp;</td></table><svg onload=window.hacked=1>",
    "${window.hacked = 1}{{ 7 * 7 }}",
)

#: A telephone.
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

#: Texts that are shown, each with its contrast to what is behind it (WCAG 2.2, relative luminance).
CONTRASTS = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const opaque = (colour) => colour.length === 3 || colour[3] === 1;
  const luminance = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (opaque(colour)) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
    const [one, other] = [luminance(parse(getComputedStyle(element).color)), luminance(paper(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    found.push([ratio, element.tagName, element.className, walker.currentNode.textContent.trim().slice(0, 30)]);
  }
  return found;
}"""
