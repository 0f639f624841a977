import { type ReactNode, useEffect } from "react";

/** A page with its heading, what it is for, and what can be done on it. */
export function Page({ title, about, actions, children }: { title: string; about?: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Rixin`;
  }, [title]);
  return (
    <>
      <div className="head">
        <div>
          <h1>{title}</h1>
          {about && <p>{about}</p>}
        </div>
        <div className="filters" style={{ margin: 0 }}>
          {actions}
        </div>
      </div>
      {children}
    </>
  );
}
