const KINDS: Record<string, string> = { "+": "added", "-": "removed", "@": "place" };

/** Unified diffs of several files, one after the other in the text: the one that matters most comes last, and is shown first. */
export function Diffs({ text, label }: { text: string; label: string }) {
  return text
    .split(/^(?=--- )/m)
    .reverse()
    .map((one, number) => <Diff key={number} text={one} label={`${label} ${number + 1}`} />);
}

function Diff({ text, label }: { text: string; label: string }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
    <pre className="block diff" role="region" tabIndex={0} aria-label={label}>
      {text.split("\n").map((line, number) => (
        <span key={number} className={KINDS[line[0] ?? ""]}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
