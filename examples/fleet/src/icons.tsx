// The icons of the application: strokes on a 24 by 24 grid. They carry no meaning that words beside them do not.

const PATHS = {
  gauge: "M4 18a8 8 0 1 1 16 0M12 18l4-6",
  map: "M9 4 4 6v14l5-2 6 2 5-2V4l-5 2-6-2zM9 4v14M15 6v14",
  rack: "M5 4h14v5H5zM5 10h14v5H5zM5 16h14v4H5zM8 6.5h.01M8 12.5h.01M8 18h.01",
  chip: "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6l1-7z",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a6.5 6.5 0 0 1 3.5 6",
  sliders: "M4 7h10M18 7h2M4 17h2M10 17h10M14 5v4M10 15v4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  shield: "M12 3 5 6v6c0 4 3 7 7 9 4-2 7-5 7-9V6z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  out: "M10 5H5v14h5M14 8l4 4-4 4M18 12H9",
  search: "M11 17a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM16 16l4 4",
  bulb: "M9 18h6M10 21h4M12 3a6 6 0 0 0-3.5 10.9c.5.4.5 1 .5 1.6h6c0-.6 0-1.2.5-1.6A6 6 0 0 0 12 3z",
  restart: "M19 12a7 7 0 1 1-2-4.9M19 4v4h-4",
  file: "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  plus: "M12 5v14M5 12h14",
} as const;

/** A drawn icon's name. */
export type IconName = keyof typeof PATHS;

/** Decoration: hidden from assistive technology. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
