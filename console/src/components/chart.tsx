import { BarChart } from "echarts/charts";
import { GridComponent, LegendPlainComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

import { useThemeMode } from "../theme";

register([BarChart, GridComponent, LegendPlainComponent, TooltipComponent, CanvasRenderer]);

const COLOURS = { light: ["#3056d3", "#d9822b", "#2e7d32", "#8e44ad"], dark: ["#8ea8ff", "#ffb648", "#6fcf97", "#c39bd3"] };

export type Series = { name: string; values: number[] };

/** Series over the same steps, as bars on top of each other. What it shows is told in words too, by `label`. */
export default function Chart({ label, steps, series }: { label: string; steps: string[]; series: Series[] }) {
  const place = useRef<HTMLDivElement>(null);
  const { dark } = useThemeMode();
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const ink = dark ? "rgba(255,255,255,0.74)" : "rgba(15,23,42,0.7)";
    const line = dark ? "#2a3140" : "#e4e7ee";
    const chart = init(element);
    chart.setOption({
      color: COLOURS[dark ? "dark" : "light"],
      animationDuration: 300,
      textStyle: { fontFamily: getComputedStyle(element).fontFamily },
      grid: { left: 8, right: 12, top: 40, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      legend: { top: 0, left: 0, textStyle: { color: ink }, icon: "roundRect", itemWidth: 12, itemHeight: 8 },
      tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: dark ? "#1e2431" : "#fff", borderColor: line, textStyle: { color: dark ? "#fff" : "#0f172a" } },
      xAxis: { type: "category", data: steps, axisLabel: { color: ink }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } } },
      series: series.map(({ name, values }) => ({ name, type: "bar", data: values, stack: "all", barMaxWidth: 22 })),
    });
    const resized = new ResizeObserver(() => chart.resize());
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.dispose();
    };
  }, [dark, steps, series]);
  return <div ref={place} className="chart" role="img" aria-label={label} />;
}
