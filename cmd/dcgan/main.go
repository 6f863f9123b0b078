// Command dcgan trains a deep convolutional generative adversarial network on images and draws with it.
//
// `dcgan --help` lists the verbs. Progress goes to standard error and results to standard output. The exit status is
// 0 when the work is done, 1 when it failed, 2 when an argument or input is bad, and 130 when a signal stopped a
// training after a whole checkpoint was saved.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
