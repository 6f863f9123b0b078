package picture
import ("testing";"math";"math/rand/v2";"os";"fmt";"time";"dcgan/dataset";"image/png")
func fake(n int) []Point {
 r:=rand.New(rand.NewPCG(1,2)); var ps []Point
 for i:=1;i<=n;i++ { t:=float64(i)
  d:=0.45+0.25*math.Exp(-t/200)+0.05*math.Sin(t/300)+0.04*r.NormFloat64(); g:=1.1+1.5*math.Exp(-t/60)+0.25*math.Sin(t/700)+0.18*r.NormFloat64()
  if i==3 {g=9}
  c:=func(x float64) float64 {return math.Round(max(0,min(1,x))*128)/128}
  ps=append(ps,Point{i,d,g,c(0.75+0.1*math.Sin(t/400)+0.06*r.NormFloat64()),c(0.8-0.1*math.Exp(-t/100)+0.05*r.NormFloat64()),c(0.2+0.5*math.Exp(-t/80)+0.05*r.NormFloat64())}) }
 return ps }
func TestZZ(t *testing.T){
 for _,n:=range []int{0,1,2,30,600,5000,50000} { ps:=fake(n); if n==600 { ps[300].DLoss=math.NaN() }; t0:=time.Now(); b,err:=Curves(ps); t.Log(n,time.Since(t0),len(b),err); os.WriteFile(fmt.Sprintf("/tmp/curves%d.png",n),b,0o666)}
 d,_:=dataset.Open("mnist",""); x:=make([]float32,23*784); idx:=make([]int,23); for i:=range idx {idx[i]=i}; d.Batch(x,idx)
 t0:=time.Now(); img:=Grid(x,23,28,28,1,5,5,4); t.Log(time.Since(t0),img.Bounds())
 f,_:=os.Create("/tmp/grid.png"); png.Encode(f,img); f.Close()
 t0=time.Now(); f,_=os.Create("/tmp/term.txt"); Terminal(f,img,60); f.Close(); t.Log(time.Since(t0))
}
func BenchmarkC(b *testing.B){ ps:=fake(50000); for b.Loop(){ Curves(ps)} }
