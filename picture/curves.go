package picture

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Point is what the curves show of a step. Values that are not finite or beyond ±1e30 are left out.
type Point struct {
	Step                                    int
	DLoss, GLoss                            float64
	DAccuracyReal, DAccuracyFake, GAccuracy float64 // in [0, 1]
}

// curve is one line of a panel.
type curve struct {
	name  string
	color color.NRGBA
	value func(Point) float64
}

// The colours are those of Okabe and Ito, which the colour-blind can tell apart.
var (
	blue   = color.NRGBA{0, 114, 178, 255}
	orange = color.NRGBA{213, 94, 0, 255}
	green  = color.NRGBA{0, 158, 115, 255}
	ink    = color.NRGBA{60, 60, 60, 255}
	faint  = color.NRGBA{228, 228, 228, 255}
)

var (
	losses = []curve{
		{"discriminator", blue, func(p Point) float64 { return p.DLoss }},
		{"generator", orange, func(p Point) float64 { return p.GLoss }},
	}
	accuracies = []curve{
		{"D on real images", blue, func(p Point) float64 { return p.DAccuracyReal }},
		{"D on generated ones", green, func(p Point) float64 { return p.DAccuracyFake }},
		{"G: taken for real by D", orange, func(p Point) float64 { return p.GAccuracy }},
	}
)

const (
	curvesWidth, curvesHeight = 9 * vg.Inch, 6.4 * vg.Inch
	curvesDPI                 = 100
	// bins is how many points a line is thinned to, about one for two pixels.
	bins = 400
	// meanShare is the share of all steps that the running mean reaches over.
	meanShare = 1. / 40
)

// Curves draws the losses and the accuracies of a run, its steps in order, one above the other, and returns a PNG of
// 900×640 pixels. The values themselves are pale, as a band from the least to the greatest where there are many, and
// their running mean over a fortieth of the run is strong.
func Curves(points []Point) ([]byte, error) {
	canvas := vgimg.NewWith(vgimg.UseWH(curvesWidth, curvesHeight), vgimg.UseDPI(curvesDPI))
	whole := draw.New(canvas)
	lossPlot, err := panel(points, losses)
	if err != nil {
		return nil, err
	}
	lossPlot.Y.Min, lossPlot.Y.Max = lossRange(points)
	accuracyPlot, err := panel(points, accuracies)
	if err != nil {
		return nil, err
	}
	accuracyPlot.Y.Min, accuracyPlot.Y.Max = -0.02, 1.02
	accuracyPlot.X.Label.Text = "step"

	tiles := draw.Tiles{Rows: 2, Cols: 1, PadTop: 30, PadBottom: 8, PadLeft: 10, PadRight: 18, PadY: 34}
	panels := plot.Align([][]*plot.Plot{{lossPlot}, {accuracyPlot}}, tiles, whole)
	lossPlot.Draw(panels[0][0])
	accuracyPlot.Draw(panels[1][0])
	heading(panels[0][0], lossPlot, "Loss", losses)
	heading(panels[1][0], accuracyPlot, "Accuracy", accuracies)

	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err = encoder.Encode(&file, canvas.Image())
	return file.Bytes(), err
}

// panel makes the plot of some curves, without its range of values.
func panel(points []Point, curves []curve) (*plot.Plot, error) {
	p := plot.New()
	p.X.Min, p.X.Max = 0, 10
	if len(points) > 0 {
		p.X.Max = max(10, float64(points[len(points)-1].Step))
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(steps), plot.TickerFunc(values)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Padding = 0
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = ink, ink
		for _, style := range []*text.Style{&axis.Label.TextStyle, &axis.Tick.Label} {
			style.Font.Variant, style.Color = "Sans", ink
		}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	p.Add(grid)

	// All the pale lines come first, so that they hide no strong one.
	var strong []plot.Plotter
	for _, c := range curves {
		series := finite(points, c.value)
		if len(series) == 0 {
			continue
		}
		if len(series) < 3 {
			dots, err := plotter.NewScatter(series)
			if err != nil {
				return nil, err
			}
			dots.GlyphStyle = draw.GlyphStyle{Color: c.color, Radius: 3, Shape: draw.CircleGlyph{}}
			strong = append(strong, dots)
		}
		window := int(float64(len(series)) * meanShare)
		if window > 1 {
			pale, err := spread(series, color.NRGBA{c.color.R, c.color.G, c.color.B, 60})
			if err != nil {
				return nil, err
			}
			p.Add(pale)
		}
		mean, err := plotter.NewLine(runningMean(series, window))
		if err != nil {
			return nil, err
		}
		mean.Color, mean.Width = c.color, 1.5
		strong = append(strong, mean)
	}
	p.Add(strong...)
	return p, nil
}

// steps marks whole numbers, some eight of them.
func steps(low, high float64) []plot.Tick { return marks(low, high, max(1, (high-low)/9)) }

// values marks some five round numbers.
func values(low, high float64) []plot.Tick { return marks(low, high, (high-low)/6) }

// marks returns the multiples in [low, high] of the smallest of 1, 2 and 5 times a power of ten that is not below
// distance.
func marks(low, high, distance float64) []plot.Tick {
	power := math.Pow(10, math.Floor(math.Log10(distance)))
	unit := 10 * power
	for _, digit := range []float64{5, 2, 1} {
		if digit*power >= distance*(1-1e-9) {
			unit = digit * power
		}
	}
	var ticks []plot.Tick
	decimals := max(0, -int(math.Floor(math.Log10(unit))))
	for i := int(math.Ceil(low / unit)); float64(i)*unit <= high; i++ {
		value := float64(i) * unit
		ticks = append(ticks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'f', decimals, 64)})
	}
	return ticks
}

// heading writes a panel's title above its left end and the names of its curves above its right end.
func heading(c draw.Canvas, p *plot.Plot, title string, curves []curve) {
	inner := p.DataCanvas(c)
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = text.XLeft, text.YCenter
	style.Font.Size = 10
	y := inner.Max.Y + 14

	x := inner.Max.X
	for _, curve := range slices.Backward(curves) {
		x -= style.Width(curve.name)
		c.FillText(style, vg.Point{X: x, Y: y}, curve.name)
		x -= 24
		c.StrokeLine2(draw.LineStyle{Color: curve.color, Width: 2}, x, y, x+18, y)
		x -= 16
	}
	style.Font.Size = 13
	c.FillText(style, vg.Point{X: inner.Min.X, Y: y}, title)
}

// finite returns one value of each step that has one that can be drawn.
func finite(points []Point, value func(Point) float64) plotter.XYs {
	series := make(plotter.XYs, 0, len(points))
	for _, p := range points {
		if v := value(p); math.Abs(v) < 1e30 {
			series = append(series, plotter.XY{X: float64(p.Step), Y: v})
		}
	}
	return series
}

// spread draws all values: as a thin line, or where they are more than bins, as the band from the least to the greatest
// of each of at most bins stretches of at least four values.
func spread(series plotter.XYs, pale color.NRGBA) (plot.Plotter, error) {
	if len(series) <= bins {
		line, err := plotter.NewLine(series)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = pale, 0.7
		return line, nil
	}
	stretches := min(bins, len(series)/4)
	band := make(plotter.XYs, 2*stretches) // the least from left to right, the greatest from right to left
	for b := range stretches {
		part := series[b*len(series)/stretches : (b+1)*len(series)/stretches]
		low, high := part[0].Y, part[0].Y
		for _, p := range part {
			low, high = min(low, p.Y), max(high, p.Y)
		}
		x := part[len(part)/2].X
		band[b], band[len(band)-1-b] = plotter.XY{X: x, Y: low}, plotter.XY{X: x, Y: high}
	}
	polygon, err := plotter.NewPolygon(band)
	if err != nil {
		return nil, err
	}
	polygon.Color, polygon.LineStyle.Width = pale, 0
	return polygon, nil
}

// runningMean returns the mean over window values around each of at most bins points, over those that there are of them
// at both ends.
func runningMean(series plotter.XYs, window int) plotter.XYs {
	sums := make([]float64, len(series)+1)
	for i, p := range series {
		sums[i+1] = sums[i] + p.Y
	}
	mean := make(plotter.XYs, min(bins, len(series)))
	for b := range mean {
		i := b * (len(series) - 1) / max(1, len(mean)-1)
		from, to := max(0, i-window/2), min(len(series), i+window/2+1)
		mean[b] = plotter.XY{X: series[i].X, Y: (sums[to] - sums[from]) / float64(to-from)}
	}
	return mean
}

// lossRange returns a range that shows nearly all losses and 0. A few that stand far out, as in the first steps, go
// beyond it, since the rest would be a flat line otherwise.
func lossRange(points []Point) (low, high float64) {
	var values []float64
	for _, c := range losses {
		for _, p := range finite(points, c.value) {
			values = append(values, p.Y)
		}
	}
	if len(values) == 0 {
		return 0, 1
	}
	slices.Sort(values)
	tail := len(values) / 200
	low, high = values[tail], values[len(values)-1-tail]
	reach := max(high-low, 0.1)
	low = max(values[0], low-reach)
	high = min(values[len(values)-1], high+reach)
	low, high = min(0, low), max(0, high)
	if low < 0 {
		low -= float64(0.04 * (high - low)) // rounded by itself, so that all machines draw the same
	}
	return low, high + float64(0.04*max(high-low, 0.1))
}
