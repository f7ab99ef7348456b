"""Moves the keyboard focus to the title of a page that was opened by a link with the keyboard.

Streamlit replaces the page without loading it, so the focus stays at the link, and the next Tab
goes on in the menu. Screen readers would not notice the new page.
"""

SCRIPT = """<script>
let left = null;
document.addEventListener("click", (event) => {
  // A key that opens a link makes a click with the detail 0.
  if (event.detail === 0 && event.target.closest?.("a[href]")) {
    left = document.querySelector("h1")?.textContent ?? "";
  }
}, true);
new MutationObserver(() => {
  const title = left === null ? null : document.querySelector("h1");
  if (!title || title.textContent === left) return;
  left = null;
  title.tabIndex = -1;
  title.focus();
}).observe(document.body, {childList: true, characterData: true, subtree: true});
</script>"""
"""Script of the app."""
