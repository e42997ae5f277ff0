// Before the first paint, so that a page whose theme was chosen does not flash in the other.
try {
  const theme = localStorage.getItem('beampeer.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // No storage in this browser: the system's theme it is.
}
